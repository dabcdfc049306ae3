/** Stable names of what can be wrong; scripts may match on them, messages may change. */
export type ExportErrorCode =
  | "unsupported-op" // no emitter, or an attribute that ONNX can't say
  | "unsupported-dtype"
  | "unsupported-opset"
  | "unsupported-model" // a runtime's own config has no words for it
  | "graph-invalid" // what was asked to be written makes no sense
  | "weight-missing"
  | "disk-full"
  | "write-failed"
  | "file-missing"
  | "file-invalid" // not ONNX, or its structure makes no sense
  | "limit-exceeded"; // larger than any real model's

/** Where the trouble is, for programs; the message says the same in words. */
export interface ExportErrorDetails {
  readonly file?: string;
  readonly cause?: unknown;
}

const marker = Symbol.for("@llm/exporter.ExportError");

/** The one error class of this package: a line that says what is wrong and what to do, and a stable code. */
export class ExportError extends Error {
  readonly code: ExportErrorCode;
  readonly file: string | undefined;
  readonly [marker] = true;

  constructor(code: ExportErrorCode, reason: string, details: ExportErrorDetails = {}) {
    super(
      details.file === undefined ? reason : `${details.file}: ${reason}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = "ExportError";
    this.code = code;
    this.file = details.file;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is ExportError {
    return typeof error === "object" && error !== null && marker in error;
  }
}
