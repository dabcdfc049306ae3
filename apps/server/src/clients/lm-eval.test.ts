import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer } from "../testing/demo-server.ts";
import { pickOf } from "../testing/random.ts";
import { runTool, toolFolder } from "../testing/run-tool.ts";

const program = fileURLToPath(new URL("../../../cli/src/bin.ts", import.meta.url));
const { folder, remove } = toolFolder();
let server: DemoServer;
beforeAll(async () => {
  server = await demoServer({}, 8);
});
afterAll(async () => {
  await server.app.close();
  remove();
});

/** Questions on a program's lines, with four ways to go on that differ in length and sense. */
function questions(count: number): object[] {
  const pick = pickOf(7);
  const names = ["items", "total", "value", "names", "result", "index"];
  const ends = ["return", "for", "in range(10):", "= []", "import os", "def", "print(x)", "self.", "None", "+ 1"];
  return Array.from({ length: count }, (_, i) => {
    const name = names[pick(names.length)];
    const first = pick(ends.length);
    const choices = Array.from({ length: 4 }, (_, j) => `${ends[(first + j * (1 + (i % 2))) % ends.length]} ${name}`);
    return { question: `def f${i}(${name}):\n    ${name}`, choices, answer: pick(4) };
  });
}

/** A task as lm-eval reads it, put as `llm eval` puts questions. */
const task = (file: string): object => ({
  task: "choices",
  dataset_path: "json",
  dataset_kwargs: { data_files: { test: file } },
  test_split: "test",
  output_type: "multiple_choice",
  doc_to_text: "Question: {{question}}\nAnswer:",
  doc_to_choice: "{{choices}}",
  doc_to_target: "{{answer}}",
  metric_list: ["acc", "acc_norm"].map((metric) => ({ metric, aggregation: "mean", higher_is_better: true })),
});

describe("lm-eval's local-completions", () => {
  it("finds what `llm eval` finds", { timeout: 600_000 }, async () => {
    const file = join(folder, "questions.jsonl");
    writeFileSync(
      file,
      questions(60)
        .map((each) => `${JSON.stringify(each)}\n`)
        .join(""),
    );
    writeFileSync(join(folder, "choices.yaml"), JSON.stringify(task(file))); // JSON is YAML
    const model = {
      model: "demo",
      base_url: `${server.address}/v1/completions`,
      tokenizer: demoModelFolder,
      num_concurrent: 4,
      max_retries: 1,
    };
    const given = Object.entries(model).map((pair) => pair.join("="));
    const args = ["--model", "local-completions", "--model_args", given.join(","), "--tasks", "choices"];
    await runTool("lm_eval", [...args, "--include_path", folder, "--output_path", join(folder, "out")], folder);
    const written = readdirSync(join(folder, "out"), { recursive: true, encoding: "utf8" });
    const results = written.find((name) => /results_.*\.json$/.test(name))!;
    const theirs = JSON.parse(readFileSync(join(folder, "out", results), "utf8")).results.choices;

    const { stdout } = await promisify(execFile)(process.execPath, [
      program,
      "eval",
      "demo",
      "--tasks",
      file,
      "--json",
    ]);
    const ours = JSON.parse(stdout).choices;
    process.stdout.write(`acc ${theirs["acc,none"]}, acc_norm ${theirs["acc_norm,none"]}\n`);
    expect(ours).toEqual({ questions: 60, accuracy: theirs["acc,none"], normalisedAccuracy: theirs["acc_norm,none"] });
    expect(ours.accuracy).toBeGreaterThan(0);
    expect(ours.accuracy).toBeLessThan(1);
  });
});
