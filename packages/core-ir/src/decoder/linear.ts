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
    const rows = xs.length / inWidth;
    // Weights are the larger side: each of their rows is read once, for four of x at a time, whose sums don't wait for each other.
    for (let o = 0; o < outWidth; o++) {
      const start = bs ? bs[o]! : 0;
      const from = o * inWidth;
      let row = 0;
      for (; row + 4 <= rows; row += 4) {
        const at = row * inWidth;
        let sum0 = start;
        let sum1 = start;
        let sum2 = start;
        let sum3 = start;
        for (let i = 0; i < inWidth; i++) {
          const weight = ws[from + i]!;
          sum0 += xs[at + i]! * weight;
          sum1 += xs[at + inWidth + i]! * weight;
          sum2 += xs[at + 2 * inWidth + i]! * weight;
          sum3 += xs[at + 3 * inWidth + i]! * weight;
        }
        ys[row * outWidth + o] = sum0;
        ys[(row + 1) * outWidth + o] = sum1;
        ys[(row + 2) * outWidth + o] = sum2;
        ys[(row + 3) * outWidth + o] = sum3;
      }
      for (; row < rows; row++) {
        let sum = start;
        for (let i = 0; i < inWidth; i++) sum += xs[row * inWidth + i]! * ws[from + i]!;
        ys[row * outWidth + o] = sum;
      }
    }
    return [out];
  },
  lower({ ins: [x, w, bias] }, b) {
    const product = b.matmul(x!, w!, { transposeB: true });
    return [bias ? b.add(product, bias) : product];
  },
  shard: shardLinear,
});
