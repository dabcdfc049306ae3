import type { Builder } from "../builder.ts";
import type { Value } from "../graph.ts";
import { shardEntrywise } from "../mesh/rules/entrywise.ts";
import { op } from "../op-def.ts";
import { choice, schema } from "../schema.ts";
import { check, sameType, typeText, wantFloat } from "../shape.ts";
import { f32, floats } from "../values.ts";
import { ACTIVATION_NAMES, ACTIVATIONS, type ActivationName } from "./functions.ts";

const attrs = schema({ fn: choice(...ACTIVATION_NAMES) });

export const activation = op({
  doc: "A function of each value.",
  operands: ["x"],
  attrs,
  infer([x]) {
    wantFloat(x!, "x");
    return [x!];
  },
  eval: ([x], { fn }) => [f32(x!.shape, floats(x!).map(ACTIVATIONS[fn]))],
  lower: ({ ins: [x], attrs: { fn } }, b) => [lowerActivation(b, fn, x!)],
  shard: shardEntrywise,
});

export const glu = op({
  doc: "fn(gate) · up, the heart of a gated MLP.",
  operands: ["gate", "up"],
  attrs,
  infer([gate, up]) {
    wantFloat(gate!, "gate");
    check(sameType(gate!, up!), () => `gate is ${typeText(gate!)}, up is ${typeText(up!)}: they must be alike`);
    return [gate!];
  },
  eval([gate, up], { fn }) {
    const ups = floats(up!);
    return [
      f32(
        gate!.shape,
        floats(gate!).map((x, i) => ACTIVATIONS[fn](x) * ups[i]!),
      ),
    ];
  },
  lower: ({ ins: [gate, up], attrs: { fn } }, b) => [b.mul(lowerActivation(b, fn, gate!), up!)],
  shard: shardEntrywise,
});

/** Each function in primitives. */
export function lowerActivation(b: Builder, fn: ActivationName, x: Value): Value {
  const c = (value: number) => b.scalar(value, x);
  switch (fn) {
    case "relu":
      return b.binary("max", x, c(0));
    case "relu2": {
      const positive = b.binary("max", x, c(0));
      return b.mul(positive, positive);
    }
    case "gelu":
      return b.mul(b.mul(x, c(0.5)), b.add(b.unary("erf", b.mul(x, c(Math.SQRT1_2))), c(1)));
    case "gelu_tanh": {
      const cubic = b.mul(b.mul(x, b.mul(x, x)), c(0.044715));
      const inner = b.mul(b.add(x, cubic), c(Math.sqrt(2 / Math.PI)));
      return b.mul(b.mul(x, c(0.5)), b.add(b.unary("tanh", inner), c(1)));
    }
    case "gelu_quick":
      return b.mul(x, b.unary("sigmoid", b.mul(x, c(1.702))));
    case "silu":
      return b.mul(x, b.unary("sigmoid", x));
    case "sigmoid":
    case "tanh":
      return b.unary(fn, x);
  }
}
