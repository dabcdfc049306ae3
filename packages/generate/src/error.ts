/** Stable names of what can be wrong with a request; scripts may match on them. */
export type GenerateErrorCode =
  | "option-invalid"
  | "context-overflow"
  | "prompt-empty"
  | "unsupported" // the session can't do what was asked
  | "nothing-left" // every token was ruled out
  | "logits-invalid" // the model gave no numbers to choose by
  | "device-failed" // nothing works any more, until another session is opened
  | "closed";

const marker = Symbol.for("@llm/generate.GenerateError");

/** The error class of this package: one line, and a stable code. */
export class GenerateError extends Error {
  readonly code: GenerateErrorCode;
  /** The option that is meant, where it is one. */
  readonly option: string | undefined;
  readonly [marker] = true;

  constructor(
    code: GenerateErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly option?: string } = {},
  ) {
    super(message, options);
    this.name = "GenerateError";
    this.code = code;
    this.option = options.option;
  }

  /** True for errors of any copy of this package. */
  static isInstance(error: unknown): error is GenerateError {
    return typeof error === "object" && error !== null && marker in error;
  }
}

/** A prompt that leaves no room for an answer, with the numbers. */
export class ContextOverflowError extends GenerateError {
  readonly tokens: number;
  /** The longest prompt that would do. */
  readonly limit: number;
  /** By how much it is too long. */
  readonly excess: number;

  constructor(tokens: number, limit: number, what = "the prompt") {
    super(
      "context-overflow",
      `${what} has ${tokens === 1 ? "1 token" : `${tokens} tokens`}, ${tokens - limit} more than the ${limit} that leave room for an answer; shorten it, or say which part may go by truncatePrompt, "left" or "middle"`,
    );
    this.name = "ContextOverflowError";
    this.tokens = tokens;
    this.limit = limit;
    this.excess = tokens - limit;
  }
}

/** The device is beyond use: what was under way has ended with `cause`, and nothing more is taken on. */
export class DeviceFailedError extends GenerateError {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("device-failed", `the device failed, close the generator and open another: ${why}`, { cause });
    this.name = "DeviceFailedError";
  }
}

/** A value of an option as an error shows it: what is text is seen to be text. */
export function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
