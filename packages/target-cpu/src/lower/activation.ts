import type { ActivationName, Builder, Op, Value } from "@llm/core-ir";
import type { LowerContext, Lowering } from "./context.ts";

/** x · sigmoid(alpha · x) covers both. */
const QUICK: Readonly<Record<string, number>> = { silu: 1, gelu_quick: 1.702 };
const WITH_BIAS: Readonly<Record<string, string>> = { gelu: "BiasGelu", gelu_tanh: "FastGelu" };

/** Whether an activation adds its operand's bias by itself. */
export function activationAddsBias(op: Op): boolean {
  return op.kind === "activation" && Object.hasOwn(WITH_BIAS, op.attrs.fn as string);
}

export const lowerActivation: Lowering = (op, b, context) => activate(op.attrs.fn as string, op.ins[0]!, b, context);

export const lowerGlu: Lowering = (op, b, context) => {
  const [gate, up] = op.ins;
  return [b.mul(activated(op.attrs.fn as ActivationName, gate!, b, context), up!)];
};

/** An activation in the runtime's own form, where it has one. */
export function activated(fn: ActivationName, x: Value, b: Builder, context: LowerContext): Value {
  const [made = b.activation(x, fn)] = activate(fn, x, b, context) ?? [];
  return made;
}

function activate(fn: string, x: Value, b: Builder, context: LowerContext): readonly Value[] | undefined {
  const bias = context.owedBias.get(x.id);
  if (bias) return [b.op(WITH_BIAS[fn]!, [x, bias])];
  const alpha = QUICK[fn];
  return alpha === undefined ? undefined : [b.op("QuickGelu", [x], { alpha })];
}
