import type { DType } from "@llm/tensor";
import { type Emission, type EmittedOp, type EmitterTable, typeOf } from "../emission.ts";

const UNARY: Readonly<Record<string, string>> = {
  neg: "Neg",
  abs: "Abs",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  sin: "Sin",
  cos: "Cos",
  tanh: "Tanh",
  erf: "Erf",
  sigmoid: "Sigmoid",
  floor: "Floor",
};

const BINARY: Readonly<Record<string, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  pow: "Pow",
  max: "Max",
  min: "Min",
  and: "And",
  or: "Or",
};

const COMPARE: Readonly<Record<string, string>> = {
  eq: "Equal",
  lt: "Less",
  le: "LessOrEqual",
  gt: "Greater",
  ge: "GreaterOrEqual",
};

/** Ops on single values, in ONNX. */
export const elementwiseEmitters: EmitterTable = {
  unary({ attrs, names, outs }, onnx) {
    if (attrs.fn === "rsqrt") onnx.node("Reciprocal", [onnx.node("Sqrt", names)], { outs });
    else onnx.node(UNARY[attrs.fn as string], names, { outs });
  },

  binary(op, onnx) {
    const { attrs, names, outs, ins } = op;
    const integer = ["i32", "i64"].includes(typeOf(ins[0]).dtype);
    if (attrs.fn === "mod") modulo(op, onnx, integer);
    else if (attrs.fn === "floordiv") {
      // ONNX truncates; the remainder that has the divisor's sign makes the division exact.
      const whole = onnx.node("Sub", [names[0], onnx.node("Mod", names)]);
      onnx.node("Div", [whole, names[1]], { outs });
    } else onnx.node(BINARY[attrs.fn as string], names, { outs });
  },

  compare({ attrs, names, outs }, onnx) {
    if (attrs.fn === "ne") onnx.node("Not", [onnx.node("Equal", names)], { outs });
    else onnx.node(COMPARE[attrs.fn as string], names, { outs });
  },

  where({ names: [condition, x, y], ins, outs }, onnx) {
    if (typeOf(ins[1]).dtype !== "bool") onnx.node("Where", [condition, x, y], { outs });
    else {
      // Runtimes have no Where for booleans.
      const yes = onnx.node("And", [condition, x]);
      const no = onnx.node("And", [onnx.node("Not", [condition]), y]);
      onnx.node("Or", [yes, no], { outs });
    }
  },

  clip({ attrs, names: [x], ins, outs }, onnx) {
    const { dtype } = typeOf(ins[0]);
    const bound = (value: unknown) =>
      typeof value === "number" && Number.isFinite(value) ? onnx.scalar(dtype, value) : "";
    onnx.node("Clip", [x, bound(attrs.min), bound(attrs.max)], { outs });
  },

  cast({ attrs, names, outs }, onnx) {
    onnx.node("Cast", names, { attrs: { to: { dtype: attrs.to as DType } }, outs });
  },
};

/** The remainder has the divisor's sign; ONNX has that for integers, and for floats only the dividend's. */
function modulo({ names: [x, y], outs }: EmittedOp, onnx: Emission, integer: boolean): void {
  if (integer) onnx.node("Mod", [x, y], { outs });
  else {
    const whole = onnx.node("Floor", [onnx.node("Div", [x, y])]);
    onnx.node("Sub", [x, onnx.node("Mul", [whole, y])], { outs });
  }
}
