import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Row } from "../session.ts";
import { fit } from "./fit.ts";
import { ABSENT, type FixedCall, type FixedShapes } from "./fixed-shapes.ts";

const shapes: fc.Arbitrary<FixedShapes> = fc.record({
  slots: fc.integer({ min: 1, max: 6 }),
  prefill: fc.integer({ min: 2, max: 8 }),
  decode: fc.integer({ min: 1, max: 4 }),
  batchIndex: fc.boolean(),
});

const scene = shapes.chain((fixed) =>
  fc
    .tuple(
      fc.subarray(Array.from({ length: fixed.slots }, (_, i) => i)),
      fc.array(fc.record({ at: fc.nat(40), count: fc.integer({ min: 1, max: 30 }), last: fc.nat(30) }), {
        minLength: fixed.slots,
        maxLength: fixed.slots,
      }),
    )
    .map(([slots, parts]) => ({ fixed, rows: slots.map((slot, i) => row(slot, parts[i]!)) })),
);

function row(slot: number, { at, count, last }: { at: number; count: number; last: number }): Row {
  const tokens = Int32Array.from({ length: count }, (_, i) => 1000 * (slot + 1) + i);
  return { slot, at, tokens, ...(last > 0 ? { want: { kind: "logits", last: Math.min(last, count) } } : {}) };
}

/** What each slot is given, in the order in which calls and columns give it. */
function written(calls: readonly FixedCall[]): Map<number, [position: number, id: number][]> {
  const slots = new Map<number, [number, number][]>();
  for (const call of calls)
    for (let lane = 0; lane < call.lanes; lane++)
      for (let column = 0; column < call.width; column++) {
        const at = lane * call.width + column;
        if (call.positions[at] === ABSENT) continue;
        const slot = call.slots[lane]!;
        slots.set(slot, [...(slots.get(slot) ?? []), [call.positions[at]!, call.ids[at]!]]);
      }
  return slots;
}

describe("fit", () => {
  it("gives every token once, in order, to its slot at its position", () => {
    fc.assert(
      fc.property(scene, ({ fixed, rows }) => {
        const got = written(fit(rows, fixed));
        expect(got.size).toBe(rows.length);
        for (const { slot, at, tokens } of rows)
          expect(got.get(slot)).toEqual(Array.from(tokens, (id, i) => [at + i, id]));
      }),
    );
  });

  it("answers each wanted token once, where it stands", () => {
    fc.assert(
      fc.property(scene, ({ fixed, rows }) => {
        const calls = fit(rows, fixed);
        const answers = rows.map(({ want }) => Array.from({ length: want?.last ?? 0 }, () => -1));
        for (const call of calls)
          for (const { row, index, lane, column } of call.outputs) {
            expect(answers[row]![index]).toBe(-1);
            answers[row]![index] = call.ids[lane * call.width + column]!;
          }
        rows.forEach(({ tokens, want }, i) => {
          expect(answers[i]).toEqual(want ? Array.from(tokens.subarray(tokens.length - want.last)) : []);
        });
      }),
    );
  });

  it("makes only compiled shapes, and asks a prefill for nothing but its last token", () => {
    fc.assert(
      fc.property(scene, ({ fixed, rows }) => {
        for (const call of fit(rows, fixed)) {
          const lanes = call.kind === "prefill" && fixed.batchIndex ? 1 : fixed.slots;
          expect([call.lanes, call.width]).toEqual([lanes, call.kind === "prefill" ? fixed.prefill : fixed.decode]);
          if (call.kind === "decode") continue;
          for (const { lane, column } of call.outputs) {
            const next = call.positions[lane * call.width + column + 1];
            expect(column === call.width - 1 || next === ABSENT).toBe(true);
          }
        }
      }),
    );
  });

  it("decodes all rows in one call", () => {
    const rows = [0, 2].map((slot) => row(slot, { at: 9, count: 1, last: 1 }));
    const calls = fit(rows, { slots: 3, prefill: 4, decode: 1, batchIndex: true });
    expect(calls).toHaveLength(1);
    expect(Array.from(calls[0]!.positions)).toEqual([9, ABSENT, 9]);
  });
});
