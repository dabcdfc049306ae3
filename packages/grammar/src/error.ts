/** Stable names of what can be wrong with a constraint; scripts may match on them. */
export type GrammarErrorCode =
  | "syntax" // the grammar, expression or schema can't be read
  | "unsupported" // a feature, named in the message, that isn't offered
  | "unsatisfiable" // nothing at all would match
  | "limit" // larger than what is compiled
  | "rejected"; // a token that the mask had ruled out

const marker = Symbol.for("@llm/grammar.GrammarError");

/** The error class of this package: one line, and a stable code. */
export class GrammarError extends Error {
  readonly code: GrammarErrorCode;
  readonly [marker] = true;

  constructor(code: GrammarErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "GrammarError";
    this.code = code;
  }

  /** True for errors of any copy of this package. */
  static isInstance(error: unknown): error is GrammarError {
    return typeof error === "object" && error !== null && marker in error;
  }
}
