import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

interface Golden {
  readonly prompts: readonly { readonly text: string; readonly input_ids: number[]; readonly greedy: number[] }[];
}
const golden = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;
const [first] = golden.prompts;

/** On the file system of what is exported: another's files can't be linked to. */
const beside = join(home, "checkpoint");
beforeAll(() => cpSync(demoModelFolder, beside, { recursive: true }));

const json = async (...args: string[]) => {
  const run = await runCli([...args, "--json"], home);
  expect(run.code, run.stderr).toBe(0);
  return jsonOf(run);
};

describe("--json", () => {
  it("tokenize and detokenize go there and back", async () => {
    const { ids } = await json("tokenize", "demo", first!.text);
    expect(ids).toEqual(first!.input_ids);
    const { text } = await json("detokenize", "demo", (ids as number[]).join(","));
    expect(text).toBe(first!.text);
  });

  it("tokenize and detokenize take lines", async () => {
    const texts = join(home, "texts.jsonl");
    writeFileSync(texts, golden.prompts.map(({ text }) => `${JSON.stringify(text)}\n`).join(""));
    const plain = await runCli(["tokenize", "demo", "--in", texts], home);
    expect(
      plain.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(golden.prompts.map((p) => p.input_ids));
    const ids = join(home, "ids.jsonl");
    writeFileSync(ids, plain.stdout);
    expect(await json("detokenize", "demo", "--in", ids)).toEqual({ text: golden.prompts.map(({ text }) => text) });
    const bad = await runCli(["detokenize", "demo", "--in", texts], home);
    expect(bad).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `llm: ${texts}: line 1 is not a JSON array of token ids\n`,
    });
  });

  it.each(["reference", "cpu"])("logits on %s: file, shape, argmax, the golden's greedy ids", async (target) => {
    const file = join(home, `${target}.safetensors`);
    const { input_ids, greedy } = first!;
    const result = await json(
      "logits",
      "demo",
      "--ids",
      input_ids.join(","),
      "--greedy",
      "64",
      "--hidden",
      "--target",
      target,
      "--out",
      file,
    );
    expect(result).toMatchObject({ file, shape: [input_ids.length, 4096], greedy });
    expect(result.argmax).toHaveLength(input_ids.length);
    expect((result.argmax as number[]).at(-1)).toBe(greedy[0]);
    const bytes = readFileSync(file);
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString("utf8"));
    const hidden = Object.fromEntries(
      [0, 1, 2, 3, 4, 5, 6].map((i) => [`hidden.${i}`, { dtype: "F32", shape: [input_ids.length, 256] }]),
    );
    expect(header).toMatchObject({ logits: { dtype: "F32", shape: [input_ids.length, 4096] }, ...hidden });
    expect(Object.keys(header)).toHaveLength(8);
  });

  it("verify: blocks, logits, ok", async () => {
    const result = await json("verify", "demo", "--layers", "0-1");
    expect(result).toMatchObject({
      ok: true,
      logits: { top1Agreement: 1, mse: expect.any(Number), maxAbs: expect.any(Number), cosine: expect.any(Number) },
    });
    expect(result.blocks).toEqual(
      ["embedding", "block_0", "block_1"].map((name) =>
        expect.objectContaining({
          name,
          mse: expect.any(Number),
          maxAbs: expect.any(Number),
          cosine: expect.any(Number),
        }),
      ),
    );
  });

  it("verify takes another implementation's numbers, such as our own reference's", async () => {
    const ids = first!.input_ids.join(",");
    const theirs = join(home, "theirs.safetensors");
    await json("logits", "demo", "--ids", ids, "--hidden", "--target", "reference", "--out", theirs);
    expect(await json("verify", "demo", "--against", theirs, "--ids", ids)).toMatchObject({
      ok: true,
      tokens: first!.input_ids.length,
    });
    const other = await runCli(["verify", "demo", "--against", theirs, "--ids", "5,6,7,8,9,10,11,12,13,14"], home);
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/llm: the exported graph differs .* first in embedding[^\n]*\n$/),
    });
  });

  it.each([["onnx"], ["cpu"]])("export --target %s: files, figures; inspect knows what it is", async (target) => {
    const out = join(home, `out-${target}`);
    const result = await json("export", "demo", "--target", target, "--out", out);
    for (const field of ["seconds", "peakRssBytes", "bytesWritten", "bytesReferenced"])
      expect(result[field]).toEqual(expect.any(Number));
    const files = result.files as { path: string; bytes: number }[];
    for (const { path, bytes } of files) expect(readFileSync(join(out, path)).length).toBe(bytes);
    const seen = await json("inspect", target === "onnx" ? join(out, "model.onnx") : out);
    expect(seen).toMatchObject(
      target === "onnx" ? { kind: "onnx", opsets: { "": 17 } } : { kind: "artefact", manifest: { target: "cpu" } },
    );
  });

  it("export --target onnx leaves the weights where they are, or brings them", async () => {
    const weights = readFileSync(join(beside, "model.safetensors")).length;
    const linked = await json("export", beside, "--out", join(home, "linked"));
    expect(linked.bytesReferenced).toBeGreaterThan(0.99 * weights);
    expect(linked.bytesWritten).toBeLessThan(0.1 * weights);
    const copied = await json("export", "demo", "--out", join(home, "copied"), "--copy", "--no-kv");
    expect(copied).toMatchObject({ bytesReferenced: 0 });
    const { inputs } = (await json("inspect", join(home, "copied", "model.onnx"))) as { inputs: { name: string }[] };
    expect(inputs.map(({ name }) => name)).toEqual(["input_ids", "attention_mask", "position_ids"]);
  });

  it("export takes precisions: halves beside float32, and transformers.js's own", async () => {
    const both = await json("export", beside, "--save-fp16-onnx", "--name", "tiny", "--out", join(home, "both"));
    const paths = (result: Record<string, unknown>) => (result.files as { path: string }[]).map(({ path }) => path);
    expect(paths(both)).toEqual(
      expect.arrayContaining(["tiny.onnx", "tiny_fp16.onnx", "model.safetensors", "tokenizer.json"]),
    );
    const js = await json(
      "export",
      "demo",
      "--target",
      "transformersjs",
      "--dtypes",
      "q8,q4",
      "--out",
      join(home, "js"),
    );
    expect(paths(js)).toEqual(
      expect.arrayContaining(["onnx/model_quantized.onnx", "onnx/model_q4.onnx", "config.json"]),
    );
    const config = JSON.parse(readFileSync(join(home, "js", "config.json"), "utf8"));
    expect(config["transformers.js_config"]).toMatchObject({ dtype: "q8" });
    expect(await json("inspect", join(home, "js"))).toMatchObject({ kind: "checkpoint", layout: "transformersjs" });
  });

  it("inspect, targets, doctor tell the truth", async () => {
    expect(await json("inspect", "demo")).toMatchObject({
      kind: "checkpoint",
      modelType: "gpt_bigcode",
      model: { blocks: 6, width: 256, vocab: 4096, context: 1024 },
    });
    expect(await json("inspect", join(demoModelFolder, "tokenizer.json"))).toMatchObject({
      kind: "tokenizer",
      vocabSize: 4096,
    });
    const { targets } = await json("targets");
    expect(targets).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: "cpu", package: "@llm/target-cpu" })]),
    );
    const { findings, ok } = await json("doctor");
    expect(ok).toBe(true);
    expect(findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ target: "machine", name: "node", state: "ok" })]),
    );
  });

  it("conformance reports every check, and where it ran", async () => {
    const report = await json("conformance", "demo", "--target", "null");
    expect(report).toMatchObject({ target: "null", failed: 0, machine: { platform: process.platform } });
    expect(report.checks).toHaveLength((report.passed as number) + (report.skipped as number));
    expect(report.passed).toBeGreaterThan(8);
  });

  it("inspect --graph prints a graph that reads back", async () => {
    const { graph } = await json("inspect", "demo", "--graph");
    const { parseGraph } = await import("@llm/core-ir");
    expect(parseGraph(graph as string).blocks).toHaveLength(8);
  });
});
