import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, describe, expect, it } from "vitest";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

describe("llm chat", () => {
  it("answers line by line, knowing what was said before", async () => {
    const args = ["chat", "demo", "--greedy", "--max-new-tokens", "8"];
    const { messages } = jsonOf(await runCli([...args, "--json"], home, { input: "import os\n\nimport sys\n" })) as {
      messages: object[];
    };
    expect(messages).toMatchObject([
      { role: "user", content: "import os" },
      { role: "assistant", content: expect.any(String) },
      { role: "user", content: "import sys" },
      { role: "assistant", content: expect.any(String) },
    ]);
    const told = await runCli([...args, "--system", "def f():", "--json"], home, { input: "import os\n" });
    expect(jsonOf(told).messages).toMatchObject([
      { role: "system", content: "def f():" },
      { role: "user" },
      { role: "assistant" },
    ]);
    for (const more of [["--no-stream"], ["--draft-model", "demo"]])
      expect((await runCli([...args, ...more], home, { input: "import os\n" })).stdout).toBe(
        `${(messages[1] as { content: string }).content}\n`,
      );
    const plain = await runCli(args, home, { input: "import os\n" });
    expect(plain).toMatchObject({ code: 0, stdout: `${(messages[1] as { content: string }).content}\n` });
  });

  it("lets a model think before the form of its answer, and keeps the thoughts apart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "llm-thinking-"));
    for (const name of readdirSync(demoModelFolder).filter((name) => /\.(json|txt|safetensors)$/.test(name)))
      symlinkSync(join(demoModelFolder, name), join(folder, name));
    const template =
      "{% for m in messages %}{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<think>{% endif %}";
    writeFileSync(join(folder, "chat_template.jinja"), template);
    const schema = '{"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}';
    const args = ["chat", folder, "--greedy", "--max-new-tokens", "40", "--json-schema", schema];
    const { messages } = jsonOf(await runCli([...args, "--json"], home, { input: "def f(\n" })) as {
      messages: { content: string; reasoning_content: string }[];
    };
    const { content, reasoning_content: thoughts } = messages[1]!;
    expect(JSON.parse(content)).toEqual({ ok: expect.any(Boolean) });
    expect(thoughts).toMatch(/\w/);
    const { stdout } = await runCli(args, home, { input: "def f(\n" });
    expect(stdout).toBe(`${content}\n`); // a program that reads it wants the answer
    const thought =
      "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% else %}<think>{% endif %}";
    writeFileSync(join(folder, "chat_template.jinja"), template.replace("<think>", thought));
    const off = jsonOf(await runCli([...args, "--thinking", "off", "--json"], home, { input: "def f(\n" }));
    expect(off.messages).toEqual([
      { role: "user", content: "def f(" },
      { role: "assistant", content: expect.stringContaining("ok"), finish_reason: expect.any(String) },
    ]);
    rmSync(folder, { recursive: true });
  });

  it("answers as long as there is room, and says where and why an answer was cut", async () => {
    const cut = async (...more: string[]) => {
      const args = ["chat", "demo", "--greedy", "--ignore-eos", "--json", ...more];
      const ran = await runCli(args, home, { input: "import os\n" });
      expect(jsonOf(ran).messages).toMatchObject([{ role: "user" }, { role: "assistant", finish_reason: "length" }]);
      return ran.stderr;
    };
    const [, tokens] = /cut after (\d+) tokens, where the room for them ends/.exec(await cut("--ctx-len", "384")) ?? [];
    expect(Number(tokens)).toBeGreaterThan(300);
    expect(await cut("--max-new-tokens", "4")).toContain("cut after 4 tokens; --max-new-tokens allows more");
  });

  it("forgets, helps and ends where that is typed", async () => {
    const input = "import os\n/clear\n/help\n/hlep\nimport sys\n/exit\nimport re\n";
    const ran = await runCli(["chat", "demo", "--greedy", "--max-new-tokens", "4", "--json"], home, { input });
    expect(jsonOf(ran).messages).toMatchObject([{ role: "user", content: "import sys" }, { role: "assistant" }]);
    expect(ran.stderr).toContain("/clear   forget what was said");
    expect(ran.stderr).toContain("did you mean /help?");
    const none = await runCli(["chat", "demo", "--thinking", "off"], home, { input: "/exit\n" });
    expect(none.stderr).toContain("--thinking changes nothing: this model's chat template has no switch for it");
  });

  it("ends when it is told to, while it waits for a line", async () => {
    const ended = await runCli(["chat", "demo", "--json"], home, {
      waiting: true,
      onOutput: (text, kill) => text.includes("no chat template") && kill("SIGTERM"),
    });
    expect(ended.code).toBe(130);
    expect(jsonOf(ended)).toEqual({ messages: [] });
  });

  it("goes on when the conversation has become too long, and says so", async () => {
    const long = "x = 1; ".repeat(400);
    const args = ["chat", "demo", "--greedy", "--max-new-tokens", "4", "--ctx-len", "256"];
    const { code, stderr, stdout } = await runCli(args, home, { input: `import os\n${long}\n` });
    expect(code).toBe(0);
    expect(stderr).toContain("the conversation has become longer than the model takes; its beginning is left out");
    expect(stdout.trimEnd().split("\n").length).toBeGreaterThanOrEqual(2);
  });
});
