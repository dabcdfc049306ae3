/** Stable names of what can be wrong; scripts may match on them, messages may change. */
export type TensorErrorCode =
  | "expression" // a weight expression whose parts don't fit
  | "weights-missing" // tensors that a model needs and a checkpoint hasn't
  | "weights-unused" // tensors that nothing would ever look at
  | "weights-shape" // tensors of another shape than the model's
  | "value" // a value that a dtype can't hold
  | "format-unknown" // no such number format or option
  | "format-shape" // a shape that a format can't cut into its blocks
  | "format-unsupported" // a known format that can't do what was asked
  | "stored-invalid"; // a stored tensor that contradicts itself

const marker = Symbol.for("@llm/tensor.TensorError");

/** The one error class of this package: a line that names the tensor and the reason, and a stable code. */
export class TensorError extends Error {
  readonly code: TensorErrorCode;
  readonly [marker] = true;

  constructor(code: TensorErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "TensorError";
    this.code = code;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is TensorError {
    return typeof error === "object" && error !== null && marker in error;
  }
}
