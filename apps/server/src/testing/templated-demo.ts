import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";

/** As Gemma's and Mistral's: nobody but user and assistant, who take turns, user first. Answers end with their turn. */
const STRICT = `{% for message in messages %}
{%- if message.role not in ["user", "assistant"] %}{{ raise_exception("no role but user and assistant") }}{% endif %}
{%- if (message.role == "user") != (loop.index0 % 2 == 0) %}{{ raise_exception("roles must alternate") }}{% endif -%}
<{{ message.role }}>{{ message.content }}</{{ message.role }}>
{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;

/** The demo with a chat template of its own, and other files in the place of its; and a way to be rid of it. */
export function templatedDemo(files: Readonly<Record<string, string>> = {}): {
  readonly folder: string;
  remove(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), "llm-templated-"));
  const own: Readonly<Record<string, string>> = { "chat_template.jinja": STRICT, ...files };
  const taken = readdirSync(demoModelFolder).filter((name) => /\.(json|txt|safetensors)$/.test(name) && !(name in own));
  for (const name of taken) symlinkSync(join(demoModelFolder, name), join(folder, name));
  for (const [name, text] of Object.entries(own)) writeFileSync(join(folder, name), text);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
