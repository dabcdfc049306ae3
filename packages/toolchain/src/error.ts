/** Stable names of what can go wrong between the stages. */
export type ToolchainErrorCode =
  | "model-not-found" // MODEL names nothing that can be found
  | "model-mismatch" // the checkpoint doesn't hold what its config promises
  | "verify-failed" // an export that computes something else than the reference
  | "target-not-installed"
  | "target-unsupported" // the target is there, but can't do what was asked for
  | "option-invalid"
  | "input-invalid"
  | "tokenizer-missing"
  | "pack-invalid" // a packed file that is not what it was
  | "write-failed";

const marker = Symbol.for("@llm/toolchain.ToolchainError");

/** The one error class of this package: a line that says what is wrong and what to do, and a stable code. */
export class ToolchainError extends Error {
  readonly code: ToolchainErrorCode;
  readonly [marker] = true;

  constructor(code: ToolchainErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "ToolchainError";
    this.code = code;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is ToolchainError {
    return typeof error === "object" && error !== null && marker in error;
  }
}
