import { shardRotary } from "../mesh/rules/heads.ts";
import { op } from "../op-def.ts";
import { choice, integer, number, numbers, optional, record, schema } from "../schema.ts";
import { check, leading, trailing, wantDType, wantFloat, wantShape } from "../shape.ts";
import { f32, floats, ints } from "../values.ts";
import { lowerRotary } from "./rotary-lower.ts";

/** What holds for a sequence whose reach is past `above`: other frequencies, or dynamic NTK's, which grow with it. */
const beyond = record({
  above: number,
  freqs: optional(numbers),
  ntk: optional(record({ base: number, factor: number })),
});

export const rotary = op({
  doc: "Rotates pairs of the last axis by position × frequency; frequencies are data.",
  operands: ["x", "positions", "reach?"],
  attrs: schema({
    /** How many of the last axis' values turn, from `start`; the rest pass through. */
    dims: integer(2),
    start: optional(integer(0)),
    pairs: choice("half", "interleaved"),
    freqs: numbers,
    /** Scale of the rotated part (YaRN's and longrope's attention factor). */
    factor: optional(number),
    beyond: optional(beyond),
  }),
  infer([x, positions, reach], { dims, start = 0, freqs, beyond: far }) {
    wantFloat(x!, "x");
    wantDType(positions!, "positions", "i32");
    const [, width] = trailing(x!, 2, "x");
    check(dims % 2 === 0, () => `dims is ${dims} and must be even`);
    check(freqs.length === dims / 2, () => `freqs has ${freqs.length} numbers and dims ${dims} needs ${dims / 2}`);
    check(typeof width === "number" && start + dims <= width, () => `${start} + ${dims} values of ${width} can't turn`);
    wantShape(positions!, leading(x!, 2), "positions");
    check(!far || !!reach, () => "frequencies that depend on the sequence's length need the reach operand");
    if (far)
      check(
        (far.freqs === undefined) !== (far.ntk === undefined) && (far.freqs ?? freqs).length === freqs.length,
        () => `beyond needs either ntk or ${freqs.length} freqs`,
      );
    if (reach) {
      wantDType(reach, "reach", "i32");
      wantShape(reach, positions!.shape, "reach");
    }
    return [x!];
  },
  eval([x, positions, reach], { dims, start = 0, pairs, freqs, factor = 1, beyond: far }) {
    const [heads, width] = x!.shape.slice(-2) as [number, number]; // (…, heads, dim)
    const half = dims / 2;
    const out = f32(x!.shape, floats(x!).slice());
    const ys = floats(out);
    const near = Float32Array.from(freqs);
    ints(positions!).forEach((position, t) => {
      const length = reach ? ints(reach)[t]! : 0;
      const turn = far && length > far.above ? farFreqs(far, length, dims) : near;
      for (let i = 0; i < half; i++) {
        const angle = Math.fround(position * turn[i]!); // f32, as in the reference: it shows at large positions
        const cos = Math.cos(angle) * factor;
        const sin = Math.sin(angle) * factor;
        for (let h = 0; h < heads; h++) {
          const at = (t * heads + h) * width + start;
          const [a, b] = pairs === "half" ? [at + i, at + i + half] : [at + 2 * i, at + 2 * i + 1];
          const [u, v] = [ys[a]!, ys[b]!];
          ys[a] = u * cos - v * sin;
          ys[b] = v * cos + u * sin;
        }
      }
    });
    return [out];
  },
  lower: (op, b) => lowerRotary(op, b),
  shard: shardRotary,
});

/** Dynamic NTK: the base grows so that the longest wave still spans the sequence. */
function farFreqs(
  far: { above: number; freqs?: readonly number[]; ntk?: { base: number; factor: number } },
  length: number,
  dims: number,
): Float32Array {
  if (!far.ntk) return Float32Array.from(far.freqs!);
  const grown = (far.ntk.factor * length) / far.above - (far.ntk.factor - 1);
  const base = far.ntk.base * grown ** (dims / (dims - 2));
  return Float32Array.from({ length: dims / 2 }, (_, i) => 1 / base ** ((2 * i) / dims));
}
