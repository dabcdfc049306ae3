import type { WeightExpr } from "../weight-expr.ts";
import { leavesOf } from "./leaves.ts";

/** An expression in a few words, for messages: its op and the tensors it is made of. */
export function exprText(expr: WeightExpr): string {
  const names = leavesOf(expr).map(({ name }) => name);
  const of = names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(" and ");
  return `${detail(expr)}${of === "" ? "" : ` of ${of}`}`;
}

function detail(expr: WeightExpr): string {
  switch (expr.op) {
    case "tensor":
      return "tensor";
    case "slice":
      return `slice ${expr.start}…${expr.end}`;
    case "reshape":
    case "constant":
      return `${expr.op} [${expr.shape.join(", ")}]`;
    default:
      return expr.op;
  }
}
