/** Stable names of what can be wrong; scripts may match on them, messages may change. */
export type TokenizerErrorCode =
  | "not-found" // no tokenizer file at this path
  | "file-invalid" // a file whose structure makes no sense
  | "limit-exceeded" // larger than any real tokenizer's
  | "unsupported" // a part that exists, but isn't known here
  | "option-invalid" // a caller's option that can't be honoured
  | "template-missing" // no chat template, and no known fallback
  | "template-failed" // the chat template refused the conversation, or is itself wrong
  | "infill-unsupported"; // no fill-in-the-middle tokens

/** Where the trouble is, for programs; the message says the same in words. */
export interface TokenizerErrorDetails {
  readonly file?: string | undefined;
  readonly cause?: unknown;
}

const marker = Symbol.for("@llm/tokenizer-bpe.TokenizerError");

/** The one error class of this package: a line that names the file and the reason, and a stable code. */
export class TokenizerError extends Error {
  readonly code: TokenizerErrorCode;
  readonly file: string | undefined;
  readonly [marker] = true;

  constructor(code: TokenizerErrorCode, reason: string, details: TokenizerErrorDetails = {}) {
    super(
      details.file === undefined ? reason : `${details.file}: ${reason}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = "TokenizerError";
    this.code = code;
    this.file = details.file;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is TokenizerError {
    return typeof error === "object" && error !== null && marker in error;
  }
}

/** Names the file in errors thrown by a reader that only saw its bytes. */
export function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (TokenizerError.isInstance(error)) {
      if (error.file !== undefined) throw error;
      throw new TokenizerError(error.code, error.message, { file, cause: error.cause });
    }
    throw error;
  }
}

/** A piece of a file, safe to print on one line. */
export function printable(text: string): string {
  const longest = 80;
  return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

/** The error for a file whose structure makes no sense. */
export function invalid(reason: string, cause?: unknown): TokenizerError {
  return new TokenizerError("file-invalid", reason, { cause });
}
