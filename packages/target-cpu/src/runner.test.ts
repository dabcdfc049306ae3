import { TargetError } from "@llm/target";
import { expect, test } from "vitest";
import { cpuTarget } from "./cpu-target.ts";
import { buildGolden } from "./testing/open-golden.ts";
import { goldenReference } from "./testing/reference.ts";

const i32 = (...values: number[]) => ({ dtype: "i32", shape: [values.length], data: Int32Array.from(values) }) as const;

test.each(["gpt_bigcode_mqa", "bloom", "phi3_longrope_long"])(
  "%s: every block of packed sequences is the reference's",
  async (name) => {
    using built = await buildGolden(name, { first: [{ pass: "expose-blocks" }] });
    const runner = await cpuTarget.runner!(built.artefact);
    const reference = await goldenReference(name, built.graph, { slots: 2, context: 16 });
    const rows = [
      { slot: 0, at: 0, tokens: [5, 6, 7, 8] },
      { slot: 1, at: 0, tokens: [9, 3] },
    ];
    const expected = reference.step(rows);
    const given = {
      ids: i32(5, 6, 9, 7, 3, 8), // two sequences, mixed
      positions: i32(0, 1, 0, 2, 1, 3),
      slots: i32(0, 0, 1, 0, 1, 0),
      reach: i32(4, 4, 2, 4, 2, 4),
      rows: i32(4, 5, 0),
    };
    const outputs = await runner.run("decoder", given);
    const vocab = outputs.logits!.shape[1]!;
    const logits = outputs.logits!.data as Float32Array;
    const near = (actual: Float32Array, wanted: Float32Array) =>
      actual.forEach((x, i) => {
        expect(Math.abs(x - wanted[i]!)).toBeLessThan(1e-4 * Math.max(1, Math.abs(wanted[i]!)));
      });
    near(logits.subarray(0, vocab), expected[1]!.logits.subarray(vocab));
    near(logits.subarray(vocab, 2 * vocab), expected[0]!.logits.subarray(3 * vocab));
    near(logits.subarray(2 * vocab), expected[0]!.logits.subarray(0, vocab));

    const hidden = Object.entries(outputs).filter(([id]) => id !== "logits");
    const where = [
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 2],
      [1, 1],
      [0, 3],
    ] as const;
    expect(hidden.length).toBeGreaterThan(1);
    hidden.forEach(([, { data, shape }], block) => {
      const width = shape[1]!;
      where.forEach(([row, token], i) => {
        const wanted = expected[row]!.hidden[block]!.subarray(token * width, (token + 1) * width);
        near((data as Float32Array).subarray(i * width, (i + 1) * width), wanted);
      });
    });
    await runner.close();
  },
);

test("a run that doesn't begin at the beginning is refused", async () => {
  using built = await buildGolden("gpt_bigcode_mqa");
  const runner = await cpuTarget.runner!(built.artefact);
  const refused = await runner
    .run("decoder", { ids: i32(1), positions: i32(3), rows: i32(0) })
    .catch((e: unknown) => e);
  expect(TargetError.isInstance(refused)).toBe(true);
  await runner.close();
});
