import { goldenArrays, readGolden } from "@llm/fixtures";
import type { Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import type { Aic100Options } from "../options.ts";
import { buildGolden } from "../testing/build-golden.ts";
import { openAic100Runner } from "./runner.ts";

function packed(ids: readonly number[], rows: readonly number[]): Record<string, Tensor> {
  const ints = (data: readonly number[]): Tensor => ({
    dtype: "i32",
    shape: [data.length],
    data: Int32Array.from(data),
  });
  return { ids: ints(ids), positions: ints([...ids.keys()]), rows: ints(rows) };
}

test.each<[string, Partial<Aic100Options>]>([
  ["gpt2", { promptLen: 5 }],
  ["mistral_swa", { promptLen: 5, fullBatchSize: 2 }],
  ["gpt2", { promptLen: 5, batchSize: 2, sdk: "recipe" }],
])("%s %j: every token's logits, in the order asked for", async (name, options) => {
  using built = await buildGolden(name, { ...options, ctxLen: 32 });
  const runner = await openAic100Runner(built.artefact);
  const ids = readGolden(name).prompts[1]!.input_ids;
  const rows = [11, 0, 7, 4];
  const { logits } = await runner.run("decoder", packed(ids, rows));
  const [count, vocab] = logits!.shape as [number, number];
  expect(count).toBe(rows.length);
  const all = goldenArrays(name).get("p1.logits")!;
  rows.forEach((row, i) => {
    for (let token = 0; token < vocab; token++)
      expect(Math.abs((logits!.data as Float32Array)[i * vocab + token]! - all[row * vocab + token]!)).toBeLessThan(
        1e-3,
      );
  });
  await runner.close();
});

test("one that gives tokens has nothing to compare", async () => {
  using built = await buildGolden("gpt2", { promptLen: 5, ctxLen: 16, onDeviceSampling: true });
  await expect(openAic100Runner(built.artefact)).rejects.toThrow("gives tokens and no logits to compare");
});

test("one sequence that fits, of the only net", async () => {
  using built = await buildGolden("gpt2", { promptLen: 5, ctxLen: 16 });
  const runner = await openAic100Runner(built.artefact);
  await expect(runner.run("block_0", packed([1], [0]))).rejects.toThrow("has no net block_0");
  await expect(runner.run("decoder", packed(Array(16).fill(3), [0]))).rejects.toThrow("don't fit into --ctx-len 16");
  const two = { ...packed([1, 2], [1]), slots: { dtype: "i32", shape: [2], data: Int32Array.of(0, 1) } as const };
  await expect(runner.run("decoder", two)).rejects.toThrow("takes one sequence");
  await runner.close();
});
