import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { type TinyModel, type TinyNode, tinyOnnx } from "../testing/tiny-onnx.ts";
import { openOrt, ortAddonStatus, ortKernel } from "./open.ts";
import type { OrtOptions } from "./session.ts";
import { ortTensor } from "./tensor.ts";

const [ROWS, COLUMNS, GROUPS] = [32, 64, 2];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-panel-model-"));
  const codes = Uint8Array.from({ length: (ROWS * COLUMNS) / 2 }, (_, i) => i * 37);
  const scales = new Uint8Array(new Float32Array(ROWS * GROUPS).fill(1 / 64).buffer);
  writeFileSync(join(folder, "weights.bin"), Buffer.concat([codes, scales, new Uint8Array(ROWS).fill(0x55)]));
});
afterAll(() => rmSync(folder, { recursive: true }));

const stored = (name: string, type: "u8" | "f32", shape: readonly number[], offset: number) =>
  ({ name, type, shape, file: "weights.bin", offset }) as const;
const CODES = stored("codes", "u8", [ROWS, GROUPS, 16], 0);
const SCALES = stored("scales", "f32", [ROWS, GROUPS], (ROWS * COLUMNS) / 2);
const ZEROS = stored("zeros", "u8", [ROWS, 1], (ROWS * COLUMNS) / 2 + 4 * ROWS * GROUPS);

const product = (inputs: readonly string[], output: string, ints: Readonly<Record<string, number>> = {}): TinyNode => ({
  op: "MatMulNBits",
  domain: "com.microsoft",
  inputs,
  outputs: [output],
  ints: { K: COLUMNS, N: ROWS, bits: 4, block_size: 32, accuracy_level: 4, ...ints },
});

function written(name: string, model: Partial<TinyModel>): string {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(
    file,
    tinyOnnx({
      nodes: [product(["x", "codes", "scales"], "y")],
      weights: [CODES, SCALES],
      inputs: [{ name: "x", type: "f32", shape: ["n", "columns"] }],
      outputs: [{ name: "y", type: "f32", shape: ["n", ROWS] }],
      ...model,
    }),
  );
  return file;
}

/** All outputs of a model, one after another, for one row. */
async function answer(file: string, options: OrtOptions = {}, columns = COLUMNS): Promise<number[]> {
  const model = await openOrt(file, { backend: "addon", threads: 1, prepack: true, ...options });
  try {
    const row = Float32Array.from({ length: columns }, (_, i) => Math.sin(i));
    const given = { [model.inputs[0]!.name]: ortTensor("f32", [1, columns], row) };
    const made = await model.run(given, Object.fromEntries(model.outputs.map(({ name }) => [name, null])));
    return model.outputs.flatMap(({ name }) => [...(made[name]!.data as Float32Array)]);
  } finally {
    await model.close();
  }
}

function expectClose(actual: readonly number[], wanted: readonly number[]): void {
  expect(actual.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 5);
}

/** Old processors run no kernel of ours. */
const none = ortAddonStatus().used && ortKernel() === undefined;

describe.skipIf(skipWithout(ortAddonStatus().used))("products in the file of a model", () => {
  test("become ours, and nothing else that has the operator's name", async () => {
    const file = written("named", {
      nodes: [product(["MatMulNBits", "codes", "scales"], "y")],
      inputs: [{ name: "MatMulNBits", type: "f32", shape: ["n", COLUMNS] }],
    });
    expectClose(await answer(file), await answer(file, { kernels: false }));
    const model = await openOrt(file, { backend: "addon" });
    expect(model.inputs.map(({ name }) => name)).toEqual(["MatMulNBits"]);
    await model.close();
  });

  test.skipIf(none)("are ours or the runtime's, each by itself", async () => {
    const file = written("mixed", {
      nodes: [product(["x", "codes", "scales", "zeros"], "y"), product(["x", "same codes", "scales"], "z")],
      weights: [CODES, { ...CODES, name: "same codes" }, SCALES, ZEROS],
      outputs: ["y", "z"].map((name) => ({ name, type: "f32", shape: ["n", ROWS] })),
    });
    const panels = join(folder, "mixed-panels");
    expectClose(await answer(file, { panels }), await answer(file, { kernels: false }));
    const kept = readFileSync(join(panels, "panels"), "latin1");
    expect([kept.includes("same codes"), kept.match(/codes/g)?.length]).toEqual([true, 1]);
  });

  test.skipIf(none)("refuse rows of another length than the weight's", async () => {
    await expect(answer(written("dynamic", {}), {}, COLUMNS - 1)).rejects.toThrow(/rows of 64 values/);
  });

  test.each([
    ["rows", { N: 1000 * ROWS }],
    ["columns", { K: 1000 * COLUMNS }],
    ["a size below zero", { N: -1 }],
  ])("that claim more than there is of %s are the runtime's to refuse", async (_, ints) => {
    const file = written("lies", { nodes: [product(["x", "codes", "scales"], "y", ints)] });
    await expect(answer(file)).rejects.toMatchObject({ code: expect.stringMatching(/^(model-invalid|run-failed)$/) });
  });

  test.each([1, 40, 200, 300])("of a file that ends after %s bytes are the runtime's to refuse", async (bytes) => {
    const file = join(folder, `cut-${bytes}.onnx`);
    writeFileSync(file, readFileSync(written("whole", {})).subarray(0, bytes));
    await expect(answer(file)).rejects.toMatchObject({ code: "model-invalid" });
  });
});
