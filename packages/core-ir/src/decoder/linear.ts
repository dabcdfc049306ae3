import { shardLinear } from "../mesh/rules/linear.ts";
import { op } from "../op-def.ts";
import { none } from "../schema.ts";
import { check, leading, trailing, typeText, wantFloat, wantSameDType, wantShape } from "../shape.ts";
import { f32, floats } from "../values.ts";

export const linear = op({
  doc: "x · wᵀ + b; the layout of w lives in its weight expression.",
  operands: ["x", "w", "b?"],
  attrs: none,
  infer([x, w, b]) {
    wantFloat(x!, "x");
    wantSameDType([x!, w!, b ?? null], ["x", "w", "b"]);
    check(w!.shape.length === 2, () => `w is ${typeText(w!)} and must be [out, in]`);
    const [outWidth, inWidth] = w!.shape;
    check(trailing(x!, 1, "x")[0] === inWidth, () => `x is ${typeText(x!)}, w is ${typeText(w!)}: widths differ`);
    if (b) wantShape(b, [outWidth!], "b");
    return [{ dtype: x!.dtype, shape: [...leading(x!, 1), outWidth!] }];
  },
  eval([x, w, b]) {
    const [outWidth, inWidth] = w!.shape as [number, number];
    const xs = floats(x!);
    const ws = floats(w!);
    const bs = b ? floats(b) : undefined;
    const out = f32([...x!.shape.slice(0, -1), outWidth]);
    const ys = floats(out);
    // Weights are the larger side: each of their rows is read once.
    for (let o = 0; o < outWidth; o++)
      for (let row = 0; row < xs.length / inWidth; row++) {
        let sum = bs ? bs[o]! : 0;
        for (let i = 0; i < inWidth; i++) sum += xs[row * inWidth + i]! * ws[o * inWidth + i]!;
        ys[row * outWidth + o] = sum;
      }
    return [out];
  },
  lower({ ins: [x, w, bias] }, b) {
    const product = b.matmul(x!, w!, { transposeB: true });
    return [bias ? b.add(product, bias) : product];
  },
  shard: shardLinear,
});
