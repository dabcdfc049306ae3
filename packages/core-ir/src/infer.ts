import { GraphError } from "./error.ts";
import type { Attrs, Type, Value } from "./graph.ts";
import type { OpDef } from "./op-def.ts";

/** Checks an op's operands and attributes and gives the types of its results; errors begin with `label`. */
export function inferOp(def: OpDef, label: string, ins: readonly (Value | null)[], attrs: Attrs): readonly Type[] {
  try {
    return def.infer(operandTypes(def, ins), def.attrs.parse(attrs));
  } catch (error) {
    if (GraphError.isInstance(error)) throw new GraphError(error.code, `${label}: ${error.message}`);
    throw error;
  }
}

function operandTypes(def: OpDef, ins: readonly (Value | null)[]): (Type | null)[] {
  const variadic = def.operands.at(-1)?.startsWith("...") ?? false;
  if (variadic ? ins.length < def.operands.length : ins.length > def.operands.length)
    throw new GraphError("type", `${ins.length} operands for ${def.operands.join(", ") || "none"}`);
  const types = ins.map((value) => value?.type ?? null);
  def.operands.forEach((name, i) => {
    if (!name.endsWith("?") && !types[i]) throw new GraphError("type", `operand ${name} is missing`);
  });
  if (variadic && types.includes(null)) throw new GraphError("type", "one of the operands is missing");
  return types;
}
