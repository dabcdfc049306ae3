/** Stable names of what can be wrong; scripts may match on them, messages may change. */
export type GraphErrorCode =
  | "spec" // a graph breaks a rule
  | "attribute" // an op's attribute or a pass's parameter is missing or wrong
  | "type" // operands that don't go together
  | "unknown-op"
  | "unknown-pass"
  | "unsupported" // legal, but this pass or the interpreter can't do it
  | "syntax" // text that isn't a graph
  | "binding" // what was given to run a graph doesn't fit it
  | "weight-missing"
  | "weight-unused";

const marker = Symbol.for("@llm/core-ir.GraphError");

/** The one error class of this package: a line that names the op or value and the reason, and a stable code. */
export class GraphError extends Error {
  readonly code: GraphErrorCode;
  readonly [marker] = true;

  constructor(code: GraphErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "GraphError";
    this.code = code;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is GraphError {
    return typeof error === "object" && error !== null && marker in error;
  }
}
