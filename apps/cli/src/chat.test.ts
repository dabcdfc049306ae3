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

  it("goes on when the conversation has become too long, and says so", async () => {
    const long = "x = 1; ".repeat(400);
    const args = ["chat", "demo", "--greedy", "--max-new-tokens", "4", "--ctx-len", "256"];
    const { code, stderr, stdout } = await runCli(args, home, { input: `import os\n${long}\n` });
    expect(code).toBe(0);
    expect(stderr).toContain("the conversation has become longer than the model takes; its beginning is left out");
    expect(stdout.trimEnd().split("\n").length).toBeGreaterThanOrEqual(2);
  });
});
