const MARKER = Symbol.for("@llm/models.error");

/** What was wrong with a config; stable, so that callers can tell cases apart. */
export type ModelErrorCode = "config-missing" | "config-invalid" | "config-unsupported" | "unknown-architecture";

/** A config that no graph can be made of. The message is one line: what is wrong and what to do. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  readonly [MARKER] = true;

  constructor(code: ModelErrorCode, message: string) {
    super(message);
    this.name = "ModelError";
    this.code = code;
  }

  /** Works across copies of this package. */
  static isInstance(error: unknown): error is ModelError {
    return typeof error === "object" && error !== null && MARKER in error;
  }
}
