import type { WeightExpr } from "../weight-expr.ts";

/** The same expression with each operand replaced; expressions without operands come back as they are. */
export function mapOperands(expr: WeightExpr, change: (of: WeightExpr) => WeightExpr): WeightExpr {
  switch (expr.op) {
    case "tensor":
    case "constant":
      return expr;
    case "either":
    case "concat":
    case "stack":
      return { ...expr, of: expr.of.map(change) };
    default:
      return { ...expr, of: change(expr.of) };
  }
}
