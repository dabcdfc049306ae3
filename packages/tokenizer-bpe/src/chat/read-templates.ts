import { TokenizerError } from "../error.ts";
import type { Files } from "../files.ts";
import { MAX_TEMPLATE_LENGTH } from "../limits.ts";
import { isNode, type JsonNode } from "../text/json-node.ts";

/**
 * A checkpoint's chat templates: files of their own (`chat_template.jinja`, `additional_chat_templates/NAME.jinja`,
 * chat_template.json) or entries of tokenizer_config.json, one text or a list of named ones. The files win.
 */
export function readTemplates(files: Files, config: JsonNode): Map<string, string> {
  const templates = new Map<string, string>();
  const add = (name: string, template: unknown, file: string) => {
    if (typeof template !== "string")
      throw new TokenizerError("file-invalid", "the chat template is not text", { file });
    if (template.length > MAX_TEMPLATE_LENGTH)
      throw new TokenizerError("limit-exceeded", `a chat template has ${template.length} characters`, { file });
    templates.set(name, template);
  };
  const addValue = (value: unknown, file: string) => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const one of value)
        if (isNode(one) && typeof one.name === "string") add(one.name, one.template, file);
        else throw new TokenizerError("file-invalid", "a chat template in the list has no name", { file });
    } else if (isNode(value)) for (const [name, template] of Object.entries(value)) add(name, template, file);
    else add("default", value, file);
  };
  addValue(config.chat_template, "tokenizer_config.json");
  addValue(files.object("chat_template.json").chat_template, "chat_template.json");
  for (const name of files.names) {
    const found = /^(?:chat_template|additional_chat_templates\/(.+))\.jinja$/.exec(name);
    if (found !== null) add(found[1] ?? "default", files.text(name), name);
  }
  return templates;
}
