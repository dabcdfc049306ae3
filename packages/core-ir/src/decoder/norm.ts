import { sizeOf } from "@llm/tensor";
import { shardNorm } from "../mesh/rules/norm.ts";
import { op } from "../op-def.ts";
import { boolean, choice, integer, number, optional, schema } from "../schema.ts";
import { trailing, wantFloat, wantSameDType, wantShape } from "../shape.ts";
import { f32, floats } from "../values.ts";

export const norm = op({
  doc: "RMS or layer norm over the last axis, then a weight of any trailing shape and a bias.",
  operands: ["x", "w?", "b?"],
  attrs: schema({
    kind: choice("rms", "layer"),
    eps: number,
    /** The weight is stored less 1. */
    plusOne: optional(boolean),
    /** How many trailing axes are normalised together; 1 unless said. */
    axes: optional(integer(1)),
  }),
  infer([x, w, b], { axes = 1 }) {
    wantFloat(x!, "x");
    trailing(x!, axes, "x");
    wantSameDType([x!, w ?? null, b ?? null], ["x", "w", "b"]);
    if (w) wantShape(w, trailing(x!, w.shape.length, "x"), "w");
    if (b) wantShape(b, trailing(x!, b.shape.length, "x"), "b");
    return [x!];
  },
  eval([x, w, b], { kind, eps, plusOne = false, axes = 1 }) {
    const width = sizeOf(x!.shape.slice(x!.shape.length - axes));
    const xs = floats(x!);
    const ws = w && floats(w);
    const bs = b && floats(b);
    const out = f32(x!.shape);
    const ys = floats(out);
    for (let from = 0; from < xs.length; from += width) {
      let mean = 0;
      if (kind === "layer") {
        for (let i = from; i < from + width; i++) mean += xs[i]!;
        mean /= width;
      }
      let square = 0;
      for (let i = from; i < from + width; i++) square += (xs[i]! - mean) ** 2;
      const scale = 1 / Math.sqrt(square / width + eps);
      for (let i = from; i < from + width; i++) {
        const weight = ws ? ws[i % ws.length]! + (plusOne ? 1 : 0) : 1;
        ys[i] = (xs[i]! - mean) * scale * weight + (bs ? bs[i % bs.length]! : 0);
      }
    }
    return [out];
  },
  lower({ ins: [x, w, bias], attrs: { kind, eps, plusOne = false, axes = 1 } }, b) {
    const last = Array.from({ length: axes }, (_, i) => i - axes);
    const centred = kind === "layer" ? b.sub(x!, b.reduce("mean", x!, last)) : x!;
    const variance = b.reduce("mean", b.mul(centred, centred), last);
    let y = b.mul(centred, b.unary("rsqrt", b.add(variance, b.scalar(eps, variance))));
    if (w) y = b.mul(y, plusOne ? b.add(w, b.scalar(1, w)) : w);
    if (bias) y = b.add(y, bias);
    return [y];
  },
  shard: shardNorm,
});
