import type { Builder } from "../builder.ts";
import type { Op, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { choice, schema } from "../schema.ts";

/** RMS norms whose squares would leave a 16-bit format's range. */
export const scaleNorms = graphPass({
  name: "scale-norms",
  doc: "Divides what RMS norms square by its largest magnitude first, so that squares stay within a narrow format's range.",
  params: schema({}),
  run: (graph) =>
    rewriteGraph(graph, {
      op: (op, b) => (op.kind === "norm" && op.attrs.kind === "rms" ? [scaledNorm(op, b)] : undefined),
    }),
});

/** x / m / sqrt(mean((x / m)²) + eps / m²), with m the largest |x| of a row. */
function scaledNorm({ ins: [x, w, bias], attrs }: Op, b: Builder): Value {
  const { eps, plusOne, axes = 1 } = attrs as { eps: number; plusOne?: boolean; axes?: number };
  const last = Array.from({ length: axes }, (_, i) => i - axes);
  const magnitude = b.reduce("max", b.unary("abs", x!), last);
  const most = b.binary("max", magnitude, b.scalar(Math.sqrt(eps), x!)); // a row of zeros has something to be divided by
  const small = b.binary("div", x!, most);
  const ratio = b.binary("div", b.scalar(Math.sqrt(eps), x!), most);
  const mean = b.add(b.reduce("mean", b.mul(small, small), last), b.mul(ratio, ratio));
  let y = b.mul(small, b.unary("rsqrt", mean));
  if (w) y = b.mul(y, plusOne ? b.add(w, b.scalar(1, w)) : w);
  if (bias) y = b.add(y, bias);
  return y;
}

/** Another formula for GELU, for devices that are faster or better at one: it changes numbers in the fourth digit. */
export const geluForm = graphPass({
  name: "gelu-form",
  doc: "Writes GELU as another formula: by the error function (exact), by tanh, or by the sigmoid.",
  params: schema({ to: choice("gelu", "gelu_tanh", "gelu_quick") }),
  run: (graph, { to }) =>
    rewriteGraph(graph, {
      op(op, b) {
        const { fn } = op.attrs;
        const isGelu = (op.kind === "activation" || op.kind === "glu") && String(fn).startsWith("gelu") && fn !== to;
        return isGelu ? b.ops(op.kind, op.ins, { ...op.attrs, fn: to }) : undefined;
      },
    }),
});
