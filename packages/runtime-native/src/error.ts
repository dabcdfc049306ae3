/** Stable names of what can be wrong; scripts may match on them, messages may change. */
export type NativeErrorCode =
  | "runtime-missing" // the runtime is not installed
  | "runtime-version" // it is, and is too old or too new
  | "model-missing"
  | "model-invalid" // the runtime refuses the model
  | "resources" // the system gives no memory, files or threads
  | "input-invalid" // a tensor that the model doesn't take
  | "option-invalid" // a setting of the environment that stands for nothing here
  | "run-failed"
  | "device-missing" // there is no such device
  | "device-failed" // the device, its driver or the vendor's library gave up
  | "closed";

/** Where the trouble is, for programs; the message says the same in words. */
export interface NativeErrorDetails {
  readonly file?: string;
  readonly cause?: unknown;
  /** What the vendor's function answered, and which it was. */
  readonly status?: number;
  readonly call?: string;
}

const marker = Symbol.for("@llm/runtime-native.NativeError");

/** The one error class of this package: a line that says what is wrong and what to do, and a stable code. */
export class NativeError extends Error {
  readonly code: NativeErrorCode;
  readonly file: string | undefined;
  readonly status: number | undefined;
  readonly call: string | undefined;
  readonly [marker] = true;

  constructor(code: NativeErrorCode, reason: string, details: NativeErrorDetails = {}) {
    super(
      details.file === undefined ? reason : `${details.file}: ${reason}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = "NativeError";
    this.code = code;
    this.file = details.file;
    this.status = details.status;
    this.call = details.call;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is NativeError {
    return typeof error === "object" && error !== null && marker in error;
  }
}
