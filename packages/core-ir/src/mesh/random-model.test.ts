import { read, type Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { ReferenceModel } from "../reference-model.ts";
import { randomOf } from "../testing/random.ts";
import { randomModel } from "../testing/random-model.ts";
import { MeshReference } from "./mesh-reference.ts";

const SEEDS = Array.from({ length: 24 }, (_, i) => i);
const EACH = 8;

// Sums are made in another order, in float32, of numbers up to a few dozen.
const TOLERANCE = 1e-4;

test.each(SEEDS)("random models on random meshes say what they say whole: %i", async (seed) => {
  for (let n = 0; n < EACH; n++) {
    const { graph, source, vocab, made } = randomModel(EACH * seed + n);
    const random = randomOf(1000 + EACH * seed + n);
    const [mp, pp] = [2 + Math.floor(random() * 5), 1 + Math.floor(random() * 2)];
    const residual = random() < 0.3 ? "split" : "whole";
    const weights = new Map<string, Tensor>();
    for (const { value, expr } of graph.weights) weights.set(value.id, await read(expr, source, "f32"));
    const whole = new ReferenceModel(graph, weights, { slots: 2, context: 16 });
    const shared = await MeshReference.open(graph, { mp, pp, residual }, (expr) => read(expr, source, "f32"), {
      slots: 2,
      context: 16,
    });
    const token = () => Math.floor(random() * vocab);
    // Two prompts, then one goes on while the other goes back.
    const steps = [
      [
        { slot: 0, at: 0, tokens: [token(), token(), token(), token()] },
        { slot: 1, at: 0, tokens: [token(), token()] },
      ],
      [
        { slot: 1, at: 1, tokens: [token(), token(), token()], last: 1 },
        { slot: 0, at: 4, tokens: [token()] },
      ],
    ];
    for (const rows of steps) {
      const expected = whole.step(rows);
      for (const [rank, found] of shared.step(rows).entries())
        found.forEach((logits, row) => {
          const scale = Math.max(1, ...expected[row]!.logits.map(Math.abs));
          const far = logits.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[row]!.logits[i]!)), 0);
          expect(
            far / scale,
            `seed ${EACH * seed + n}, mp ${mp}, pp ${pp}, ${residual}, rank ${rank}: ${made}`,
          ).toBeLessThan(TOLERANCE);
        });
    }
  }
});
