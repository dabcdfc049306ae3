import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import type { Attrs } from "../graph.ts";
import { decoder } from "./index.ts";

type Shape = readonly (number | string)[];

interface Bad {
  readonly kind: string;
  readonly ins: readonly (Shape | null)[];
  readonly attrs?: Attrs;
  readonly says: string;
}

/** Names of operands that are integers; all others are floats. */
const INTEGERS = ["ids", "positions", "slots", "rows", "reach"];

const rotary = { dims: 4, pairs: "half", freqs: [1, 0.1] };
const attention = (q: Shape, k: Shape, v: Shape, ...rest: (Shape | null)[]): Pick<Bad, "kind" | "ins"> => ({
  kind: "attention",
  ins: [q, k, v, ...rest],
});
const scale = { scale: 1 };

const BAD: readonly Bad[] = [
  { kind: "embed", ins: [[9, 4, 1], ["t"]], says: "table is f32[9, 4, 1] and must be [V, D]" },
  { kind: "linear", ins: [["t", 4], [3, 4], [4]], says: "b is f32[4] and must be [3]" },
  { kind: "norm", ins: [["t", 4], [3]], attrs: { kind: "rms", eps: 1 }, says: "w is f32[3] and must be [4]" },
  { kind: "norm", ins: [["t"]], attrs: { kind: "rms", eps: 1, axes: 2 }, says: "x has 1 axes and needs 2" },
  { kind: "rotary", ins: [["t", 2, 3], ["t"]], attrs: rotary, says: "0 + 4 values of 3 can't turn" },
  { kind: "rotary", ins: [["t", 2, 4], ["u"]], attrs: rotary, says: "positions is i32[u] and must be [t]" },
  {
    kind: "rotary",
    ins: [["t", 2, 4], ["t"]],
    attrs: { ...rotary, freqs: [1] },
    says: "freqs has 1 numbers and dims 4 needs 2",
  },
  { kind: "rotary", ins: [["t", 2, 5], ["t"]], attrs: { ...rotary, dims: 5 }, says: "dims is 5 and must be even" },
  {
    kind: "rotary",
    ins: [["t", 2, 4], ["t"]],
    attrs: { ...rotary, beyond: { above: 8, freqs: [1, 1] } },
    says: "frequencies that depend on the sequence's length need the reach operand",
  },
  {
    kind: "rotary",
    ins: [["t", 2, 4], ["t"], ["t"]],
    attrs: { ...rotary, beyond: { above: 8 } },
    says: "beyond needs either ntk or 2 freqs",
  },
  {
    ...attention(["t", 4, 8], ["t", 3, 8], ["t", 3, 8], ["t"]),
    attrs: scale,
    says: "4 query heads can't share 3 key heads",
  },
  { ...attention(["t", 4, 8], ["t", 2, 6], ["t", 2, 8], ["t"]), attrs: scale, says: "head widths differ" },
  { ...attention(["t", 4, 8], ["t", 2, 8], ["t", 1, 8], ["t"]), attrs: scale, says: "head counts differ" },
  { ...attention(["t", 4, 8], ["u", 2, 8], ["t", 2, 8], ["t"]), attrs: scale, says: "k's tokens are [u], q's are [t]" },
  {
    ...attention(["b", "s", 4, 8], ["b", "s", 2, 8], ["b", "s", 2, 8], ["b", "s"], ["s"]),
    attrs: scale,
    says: "slots are i32[s]; they are of tokens [b, s] or of rows [b]",
  },
  {
    ...attention(["t", 4, 8], ["t", 2, 8], ["t", 2, 8], ["t"], ["t"], ["n", "c", 2, 8]),
    attrs: scale,
    says: "keys and values come together",
  },
  {
    ...attention(["t", 4, 8], ["t", 2, 8], ["t", 2, 6], ["t"], ["t"], ["n", "c", 2, 8], ["n", "c", 2, 8]),
    attrs: scale,
    says: "values is f32[n, c, 2, 8] and must be [n, c, 2, 6]",
  },
  {
    ...attention(["t", 4, 8], ["t", 2, 8], ["t", 2, 8], ["t"]),
    attrs: { ...scale, alibi: { slopes: [1], anchor: "relative" } },
    says: "alibi has 1 slopes for 4 heads",
  },
  {
    ...attention(["t", 4, 8], ["t", 2, 8], ["t", 2, 8], ["t"]),
    attrs: { ...scale, alibi: { slopes: [1], anchor: "left" } },
    says: 'in alibi: attribute anchor is "left", not relative | key',
  },
  {
    kind: "latent_attention",
    ins: [["t", 2, 3], ["t", 2, 4], ["t", 6], ["t", 4], [2, 3, 5], [2, 7, 6], ["t"]],
    attrs: scale,
    says: "w_kb is f32[2, 3, 5] and must be [2, 3, 6]",
  },
  {
    kind: "latent_attention",
    ins: [["t", 2, 3], ["t", 2, 4], ["t", 6], ["t", 4], [2, 3, 6], [2, 7, 6], ["t"], ["t"], ["n", "c", 9]],
    attrs: scale,
    says: "cache is f32[n, c, 9] and must be [n, c, 10]",
  },
  { kind: "activation", ins: [["t", 4]], attrs: { fn: "swish" }, says: 'attribute fn is "swish", not relu | relu2' },
  {
    kind: "glu",
    ins: [
      ["t", 4],
      ["t", 5],
    ],
    attrs: { fn: "silu" },
    says: "gate is f32[t, 4], up is f32[t, 5]: they must be alike",
  },
  {
    kind: "route",
    ins: [["t", 6]],
    attrs: { score: "softmax", order: "score-topk", k: 7 },
    says: "k is 7 of 6 experts",
  },
  {
    kind: "route",
    ins: [["t", 6]],
    attrs: { score: "softmax", order: "score-topk", k: 1, groups: { count: 4, keep: 1, by: "max" } },
    says: "6 experts don't divide into 4 groups",
  },
  {
    kind: "experts",
    ins: [["t", 3], ["t", 2], ["t", 2], null, [5, 6, 3], [5, 6, 3]],
    attrs: { fn: "silu" },
    says: "down is f32[5, 6, 3] and must be [5, 3, 6]",
  },
  {
    kind: "pick",
    ins: [
      ["t", 3],
      ["a", "b"],
    ],
    says: "rows is i32[a, b] and must be [n]",
  },
  { kind: "softcap", ins: [["t", 3]], says: "attribute cap is missing (number)" },
  { kind: "round", ins: [["t", 3]], attrs: { format: "f8" }, says: 'attribute format is "f8", not a number format' },
];

describe("what doesn't fit is refused in words", () => {
  it.each(BAD.map((bad, n) => [`${bad.kind} #${n}: ${bad.says}`, bad] as const))(
    "%s",
    (_, { kind, ins, attrs, says }) => {
      const b = new Builder("bad");
      const { operands } = decoder.ops[kind]!;
      const values = ins.map((shape, n) => {
        const name = operands[n]!.replace("?", "");
        return shape && b.input(name, INTEGERS.includes(name) ? "i32" : "f32", shape);
      });
      expect(() => b.as("here").op(kind, values, attrs)).toThrow(`${kind} here: `);
      expect(() => b.as("here").op(kind, values, attrs)).toThrow(says);
    },
  );
});
