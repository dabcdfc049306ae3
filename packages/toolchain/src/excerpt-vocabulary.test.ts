import { StreamedReference } from "@llm/core-ir";
import { demoModelFolder } from "@llm/demo-model";
import { goldenDir } from "@llm/fixtures";
import { afterAll, describe, expect, it } from "vitest";
import { excerptVocabulary } from "./excerpt-vocabulary.ts";
import { openModel } from "./open-model.ts";

const demo = await openModel(demoModelFolder);
afterAll(() => demo.close());

describe("an excerpt of the vocabulary", () => {
  const ids = Int32Array.of(4095, 7, 300, 7, 0);

  it("computes the same streams and, of the rows it keeps, the same logits", async () => {
    const { graph, ids: renumbered } = excerptVocabulary(demo.graph, ids)!;
    expect([...renumbered]).toEqual([3, 1, 2, 1, 0]);
    const run = async (of: typeof graph, tokens: Int32Array) =>
      (await new StreamedReference(of, demo.weights, { context: 8 }).step([{ slot: 0, at: 0, tokens }]))[0]!;
    const [whole, part] = [await run(demo.graph, ids), await run(graph, renumbered)];
    expect(part.hidden).toEqual(whole.hidden);
    const [all, kept] = [whole.logits.length / ids.length, part.logits.length / ids.length];
    expect(kept).toBe(256);
    for (const row of [0, 4]) {
      const wide = whole.logits.subarray(row * all, (row + 1) * all);
      const narrow = part.logits.subarray(row * kept, (row + 1) * kept);
      expect(narrow.subarray(0, 64)).toEqual(wide.subarray(0, 64));
      expect(narrow.subarray(192)).toEqual(wide.subarray(all - 64));
    }
  });

  it("is small: no weight has a row for every token", () => {
    const { graph } = excerptVocabulary(demo.graph, ids)!;
    const rows = graph.weights.map(({ value }) => value.type.shape[0] as number);
    expect(Math.max(...rows)).toBeLessThan(demo.card.vocab);
  });

  it("isn't made of a model with few tokens", async () => {
    const small = await openModel(goldenDir("gpt2"));
    expect(small.card.vocab <= 256 || excerptVocabulary(small.graph, Int32Array.of(1)) !== undefined).toBe(true);
    const { graph } = small;
    const odd = { ...graph, ops: graph.ops.map((op) => (op.kind === "embed" ? { ...op, attrs: { offset: 1 } } : op)) };
    expect(excerptVocabulary(odd, Int32Array.of(1))).toBeUndefined();
    await small.close();
  });
});
