import { checkSpec } from "@llm/core-ir";
import { type Tensor, tensor } from "@llm/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runOnnx } from "../convert/run-onnx.test.support.ts";
import { toOnnx } from "../convert/to-onnx.ts";
import { greedyHead, sampleHead } from "./heads.ts";

const f32 = (shape: number[], values: readonly number[]): Tensor => tensor("f32", shape, Float32Array.from(values));

/** What sampling should choose, in plain arithmetic. */
function choose(logits: readonly number[], k: number, temperature: number, topP: number, random: number): number {
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, k);
  const parts = order.map((id) => Math.exp((logits[id] - logits[order[0]]) / temperature));
  const total = parts.reduce((a, b) => a + b, 0);
  let before = 0;
  const kept = parts.filter((part, i) => {
    const stays = i === 0 || before / total < topP;
    before += part;
    return stays;
  });
  let left = random * kept.reduce((a, b) => a + b, 0);
  const at = kept.findIndex((part) => (left -= part) < 0);
  return order[at < 0 ? kept.length - 1 : at];
}

describe("heads", () => {
  test("the greedy one takes the best, of equals the first", async () => {
    const graph = greedyHead(5);
    checkSpec(graph);
    const [token] = await runOnnx(toOnnx(graph), { logits: f32([2, 5], [0, 3, 1, 3, 2, -1, -2, -3, -4, -0.5]) });
    expect([...(token.data as Int32Array)]).toEqual([1, 4]);
  });

  test("the sampling one takes what the random number points at", async () => {
    const graph = sampleHead({ vocab: 12, candidates: 6 });
    checkSpec(graph);
    const model = toOnnx(graph);
    const unit = fc.integer({ min: 0, max: 99 }).map((n) => n / 100 + 0.0037); // never on the edge of a share
    const row = fc.record({
      // Eighths apart, so that nothing is decided by rounding.
      logits: fc.uniqueArray(fc.integer({ min: -40, max: 40 }), { minLength: 12, maxLength: 12 }),
      temperature: fc.constantFrom(0.25, 1, 4),
      topP: fc.constantFrom(0, 0.3137, 0.8871, 1),
      random: unit,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 4 }), async (rows) => {
        const column = (of: (row: (typeof rows)[number]) => number) => f32([rows.length], rows.map(of));
        const [token] = await runOnnx(model, {
          logits: f32(
            [rows.length, 12],
            rows.flatMap(({ logits }) => logits.map((logit) => logit / 8)),
          ),
          temperature: column((one) => one.temperature),
          top_p: column((one) => one.topP),
          random: column((one) => one.random),
        });
        expect([...(token.data as Int32Array)]).toEqual(
          rows.map((one) =>
            choose(
              one.logits.map((x) => x / 8),
              6,
              one.temperature,
              one.topP,
              one.random,
            ),
          ),
        );
      }),
      { numRuns: 60 },
    );
  });
});
