import { expect, test } from "vitest";
import { openModel } from "../open.ts";
import { buildGolden } from "../testing/open-golden.ts";
import { goldenReference } from "../testing/reference.ts";
import { CpuSession } from "./cpu-session.ts";

const CONTEXT = 96;

test("only models whose histories depend on reach say so", async () => {
  for (const [name, reach] of [
    ["phi3_longrope_short", true],
    ["llama_dynamic_ntk", true],
    ["llama_gqa_llama3", undefined],
  ] as const) {
    using built = await buildGolden(name);
    const session = await open(built.artefact.folder, built.artefact.manifest.model.width);
    expect(session.limits.reach, name).toBe(reach);
    await session.close();
  }
});

// Both stretch positions beyond 64 tokens.
test.each(["phi3_longrope_short", "llama_dynamic_ntk"])(
  "%s: a prompt in pieces and an answer across the length",
  async (name) => {
    using built = await buildGolden(name);
    const { vocab, width } = built.artefact.manifest.model;
    const tokens = Int32Array.from({ length: CONTEXT }, (_, i) => (7 + 13 * i) % vocab);
    const session = await open(built.artefact.folder, width);
    const reference = await goldenReference(name, built.graph, { slots: 2, context: CONTEXT });
    const step = async (slot: number, at: number, end: number, reach = end) => {
      const row = { slot, at, tokens: tokens.slice(at, end), reach };
      const [result] = await session.step([{ ...row, want: { kind: "logits", last: end - at } }]);
      return { actual: result!.logits!.slice(), expected: reference.step([{ ...row, last: end - at }])[0]!.logits };
    };

    for (const length of [60, 70]) {
      const whole = await step(0, 0, length);
      expect(worst(whole.actual, whole.expected)).toBeLessThan(1e-4);
      for (let at = 0; at < length; at += 13) {
        const end = Math.min(length, at + 13);
        const { actual } = await step(1, at, end, length);
        expect(worst(actual, whole.actual.subarray(at * vocab, end * vocab))).toBeLessThan(1e-4);
      }
      for (let at = length; at < length + 10; at++) {
        const [one, other] = [await step(0, at, at + 1), await step(1, at, at + 1)];
        expect(worst(one.actual, one.expected)).toBeLessThan(1e-4);
        expect(worst(other.actual, one.actual)).toBeLessThan(1e-4);
      }
    }
    // The same tokens as a prompt of their own are another history: that is what the limit tells the scheduler.
    const prompt = await step(0, 0, 70);
    await step(1, 0, 60);
    const { actual } = await step(1, 60, 70);
    expect(worst(actual, prompt.actual.subarray(60 * vocab))).toBeGreaterThan(1e-3);
    await session.close();
  },
);

async function open(folder: string, width: number): Promise<CpuSession> {
  const model = await openModel(`${folder}/decoder.onnx`, { threads: 1 });
  return new CpuSession(model, width, { slots: 2, context: CONTEXT, chunk: CONTEXT, cacheFill: Number.NaN });
}

function worst(a: Float32Array, b: Float32Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, x, i) => (Number.isNaN(x) ? Number.NaN : Math.max(most, Math.abs(x - b[i]!))), 0);
}
