import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { goldenDir } from "@llm/fixtures";
import { afterAll, describe, expect, it } from "vitest";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

interface Golden {
  readonly prompts: readonly {
    readonly text: string;
    readonly input_ids: number[];
    readonly greedy: number[];
    readonly greedy_text: string;
  }[];
}
interface Completion {
  readonly prompt: string;
  readonly text: string;
  readonly tokens: number[];
  readonly finishReason: string;
}
const { prompts } = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;
const [first] = prompts;

const stages = (result: Record<string, unknown>, skipped: boolean) =>
  (result.stages as { name: string; skipped: boolean }[])
    .filter((stage) => stage.skipped === skipped)
    .map(({ name }) => name);

describe("llm infer", () => {
  it("does everything once, and says what it skipped the second time", async () => {
    const args = ["infer", "--prompt", first!.text, "--greedy", "--max-new-tokens", "64", "--json"];
    const once = jsonOf(await runCli(args, home));
    expect(once).toMatchObject({ tokens: first!.greedy, text: first!.greedy_text });
    expect(stages(once, false)).toEqual(["export", "verify", "run"]);
    const figure = expect.any(Number);
    expect(once.timings).toEqual({
      ttftMs: figure,
      prefillTokensPerSecond: figure,
      decodeTokensPerSecond: figure,
      totalTokensPerSecond: figure,
    });
    const again = await runCli(args, home);
    expect(jsonOf(again).tokens).toEqual(first!.greedy);
    expect(stages(jsonOf(again), false)).toEqual(["run"]);
    expect(again.stderr).toMatch(
      /^fetch +skipped: bundled\nexport +skipped: up to date\nverify +skipped: up to date\ncompile +skipped: /,
    );
  });

  it("puts the text, and nothing else, on stdout", async () => {
    const { code, stdout, stderr } = await runCli(
      ["infer", "-p", first!.text, "--greedy", "--max-new-tokens", "64"],
      home,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${first!.text}${first!.greedy_text}\n` });
    expect(stderr).toMatch(/64 tokens · first after .* · prefill .* tok\/s · decode .* tok\/s · total .* tok\/s\n$/);
  });

  it("takes the replaced library's spelling, a batch and its limits", async () => {
    const args = [
      "infer",
      "--model_name",
      "demo",
      "--prompt",
      prompts.map(({ text }) => text).join("|"),
      "--batch_size",
      String(prompts.length),
    ];
    const { completions } = jsonOf(await runCli([...args, "--generation_len", "16", "--greedy", "--json"], home)) as {
      completions: Completion[];
    };
    expect(completions.map(({ tokens }) => tokens)).toEqual(prompts.map(({ greedy }) => greedy.slice(0, 16)));
    expect(completions.every(({ finishReason }) => finishReason === "length")).toBe(true);
  });

  it("samples by the checkpoint's generation_config, the same for the same seed", async () => {
    const sample = async (...args: string[]) =>
      jsonOf(await runCli(["infer", "-p", first!.text, "--max-new-tokens", "24", "--json", ...args], home)).tokens;
    const [a, b, c] = [
      await sample(),
      await sample("--seed", "0"),
      await sample("--seed", "1", "--temperature", "1.5", "--top-p", "1"),
    ];
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  it("stops at a stop text, which is no part of the answer", async () => {
    const args = ["infer", "-p", first!.text, "--greedy", "--max-new-tokens", "64", "--stop", "data,", "--json"];
    const result = jsonOf(await runCli(args, home)) as { text: string; completions: Completion[] };
    expect(result.text).toBe(first!.greedy_text.slice(0, first!.greedy_text.indexOf("data,")));
    expect(result.completions[0]!.finishReason).toBe("stop");
  });

  it("wants a prompt that fits", async () => {
    expect(await runCli(["infer"], home)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/needs a prompt/),
    });
    const long = await runCli(["infer", "-p", "x y ".repeat(2000)], home);
    expect(long).toMatchObject({
      code: 1,
      stdout: expect.any(String),
      stderr: expect.stringMatching(/llm: .*\d+ tokens.*\n$/),
    });
  });

  it("ends cleanly when it is interrupted", async () => {
    let asked = false;
    const run = await runCli(["infer", "-p", "import os\n", "--ignore-eos", "--temperature", "1"], home, {
      onOutput: (text, kill) => {
        if (asked || !text.includes("import os")) return;
        asked = true;
        kill("SIGINT");
      },
    });
    expect(run).toMatchObject({ code: 130, stderr: expect.stringMatching(/llm: interrupted\n$/) });
  });
});

describe("llm run", () => {
  const completions = async (...args: string[]): Promise<Completion[]> =>
    jsonOf(await runCli(["run", "demo", "--greedy", "--max-new-tokens", "6", "--json", ...args], home))
      .completions as Completion[];

  it("fills in before a suffix, and prints it where it belongs", async () => {
    const around = ["--prompt", "def add(a, b):\n", "--suffix", "\n    return total\n"];
    const [{ text }] = (await completions(...around)) as [Completion];
    const [{ text: plain }] = (await completions("--prompt", "def add(a, b):\n")) as [Completion];
    expect(text).not.toBe(plain);
    const { stdout } = await runCli(["run", "demo", "--greedy", "--max-new-tokens", "6", ...around], home);
    expect(stdout).toBe(`def add(a, b):\n${text}\n    return total\n\n`);
  });

  it("continues every --prompt, and cuts what is longer than --input-len", async () => {
    const [a, b] = await completions("--prompt", "import os", "--prompt", "def f(");
    expect([a!.prompt, b!.prompt]).toEqual(["import os", "def f("]);
    const [cut] = await completions("--prompt", "x = 1; import os", "--input-len", "2");
    expect(cut!.tokens).toEqual((await completions("--prompt", "import os"))[0]!.tokens);
  });

  it("biases tokens", async () => {
    const [{ tokens }] = (await completions("--prompt", "import os")) as [Completion];
    const [{ tokens: others }] = (await completions("--prompt", "import os", "--logit-bias", `${tokens[0]}=-inf`)) as [
      Completion,
    ];
    expect(others).not.toContain(tokens[0]);
    const wrong = await runCli(["run", "demo", "--logit-bias", "42"], home);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("--logit-bias takes a token's id") });
  });

  it("runs an exported folder that is all there is", async () => {
    const out = join(home, "exported");
    await runCli(["export", "demo", "--target", "cpu", "--out", out], home);
    const moved = join(home, "moved");
    renameSync(out, moved);
    const result = jsonOf(
      await runCli(["run", moved, "-p", first!.text, "--greedy", "--max-new-tokens", "8", "--json"], home),
    );
    expect(result.completions).toEqual([
      expect.objectContaining({ prompt: first!.text, tokens: first!.greedy.slice(0, 8) }),
    ]);
    const named = jsonOf(
      await runCli(["run", "--model-name", "demo", "--qpc-path", moved, "--max-new-tokens", "4", "--json"], home),
    );
    expect(named.completions).toEqual([expect.objectContaining({ prompt: "My name is" })]);
    rmSync(join(moved, "decoder.onnx"));
    expect(await runCli(["run", moved], home)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^llm: .*decoder\.onnx is missing; [^\n]+\n$/),
    });
  });

  it("runs as Cloud AI 100 would, with figures for scripts", async () => {
    const options = ["--target", "aic100", "--emulate", "--format", "fp32", "--ctx-len", "64", "--prompt-len", "16"];
    const { code, stdout } = await runCli(
      [
        "run",
        "demo",
        ...options,
        "-p",
        first!.text,
        "--greedy",
        "--max-new-tokens",
        "8",
        "--no-stream",
        "--automation",
      ],
      home,
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`input=${first!.text}\noutput=`);
    expect(stdout).toMatch(/Average Prefill time a\.k\.a TTFT is= [\d.]+ sec {8}\nDecode is= [\d.]+ tokens\/sec/);
  });

  it("says that a checkpoint without a tokenizer has none", async () => {
    const { code, stderr } = await runCli(["run", goldenDir("gpt2"), "-p", "x"], home);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/llm: .*gpt2: has no tokenizer [^\n]+\n$/),
    });
    expect(existsSync(join(home, ".cache", "llm", "scratch"))).toBe(true);
  });
});
