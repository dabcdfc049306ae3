import { type OrtSession, type OrtTensors, ortTensor } from "@llm/runtime-native/ort";
import type { ModelCard } from "@llm/target";
import { describe, expect, it } from "vitest";
import { PublishedSession } from "./published-session.ts";

const VOCAB = 8;
const card: ModelCard = { name: "m", architecture: "x", vocab: VOCAB, width: 2, blocks: 1, context: 64, parameters: 0 };

/** A model of one layer whose cache holds its tokens and whose logits tell the whole history; `fails` says when it can't. */
function model(vocab = VOCAB, fails: (ids: number[]) => boolean = () => false): OrtSession {
  const past = { name: "past_key_values.0.key", dtype: "f32" as const, shape: ["batch", 1, "past", 1] };
  return {
    backend: "addon",
    version: "",
    inputs: [{ name: "input_ids", dtype: "i64", shape: ["batch", "seq"] }, past],
    outputs: [],
    run: async (inputs: OrtTensors) => {
      const ids = Array.from(inputs.input_ids.data as BigInt64Array, Number);
      if (fails(ids)) throw new Error("out of memory");
      const all = [...(inputs[past.name].data as Float32Array), ...ids];
      const sum = all.reduce((a, b) => a * 31 + b + 1, 0);
      const logits = Float32Array.from({ length: ids.length * vocab }, (_, i) => (sum * ((i % vocab) + 1)) % 97);
      return {
        logits: ortTensor("f32", [1, ids.length, vocab], logits),
        "present.0.key": ortTensor("f32", [1, 1, all.length, 1], Float32Array.from(all)),
      };
    },
    close: async () => {},
  };
}

const row = (slot: number, at: number, ...ids: number[]) => ({
  slot,
  at,
  tokens: Int32Array.from(ids),
  want: { kind: "logits", last: 1 } as const,
});

describe("a session over a published ONNX file", () => {
  it("refuses a file whose logits aren't its config's", async () => {
    const session = new PublishedSession(model(VOCAB + 2), card, { slots: 1, context: 64 });
    await expect(session.step([row(0, 0, 1)])).rejects.toThrow(/gives 10 logits, but its config says vocab_size 8/);
  });

  it("loses one slot to a failed run, and nothing of the others", async () => {
    const bad = new Set<number>();
    const session = new PublishedSession(
      model(VOCAB, (ids) => ids.some((id) => bad.has(id))),
      card,
      { slots: 3, context: 64 },
    );
    const alone = new PublishedSession(model(), card, { slots: 1, context: 64 });
    await session.step([row(0, 0, 1, 2), row(1, 0, 3, 4), row(2, 0, 5)]);
    bad.add(7);
    const failed = session.step([row(0, 2, 6), row(1, 2, 7), row(2, 1, 6)]);
    await expect(failed).rejects.toMatchObject({ name: "SessionError", code: "device", lost: [1] });
    const [after] = await session.step([row(0, 2, 6)]);
    const [expected] = await alone.step([row(0, 0, 1, 2, 6)]);
    expect(after.logits).toEqual(expected.logits);
    await expect(session.step([row(1, 2, 6)])).rejects.toMatchObject({ code: "gap" });
  });

  it("takes a prompt in pieces, so that the logits of every token are no gigabytes", () => {
    const session = new PublishedSession(model(), { ...card, context: 8192 }, { slots: 1, context: 8192 });
    expect(session.limits.chunk).toBe(256);
  });
});
