/** Stable names of what can be wrong; scripts may match on them, messages may change. */
export type CheckpointErrorCode =
  | "not-found" // nothing at this path
  | "not-a-checkpoint" // something is there, but nothing that can be opened
  | "config-missing"
  | "config-invalid"
  | "file-missing" // a file that another one names
  | "file-truncated" // shorter than its own header says, or shrunk since it was opened
  | "file-invalid" // its structure makes no sense
  | "path-escapes" // a name that would leave the folder
  | "limit-exceeded" // larger than any real checkpoint's
  | "tensor-invalid" // one tensor's entry makes no sense
  | "tensor-duplicate"
  | "tensor-unsupported" // a dtype or layout that exists, but can't be read here
  | "pickle-refused" // a pickle that does something else than building tensors
  | "quantisation-unsupported"
  | "closed"
  | "hub-not-found"
  | "hub-gated"
  | "hub-unauthorised"
  | "hub-offline"
  | "hub-failed" // the server or the network, after all retries
  | "cache-unwritable"
  | "hub-corrupt"; // the bytes that came aren't those that were promised

/** Where the trouble is, for programs; the message says the same in words. */
export interface CheckpointErrorDetails {
  readonly file?: string;
  readonly tensor?: string;
  readonly cause?: unknown;
}

const marker = Symbol.for("@llm/checkpoint.CheckpointError");

/** The one error class of this package: a line that names the file, the tensor and the reason, and a stable code. */
export class CheckpointError extends Error {
  readonly code: CheckpointErrorCode;
  readonly file: string | undefined;
  readonly tensor: string | undefined;
  readonly [marker] = true;

  constructor(code: CheckpointErrorCode, reason: string, details: CheckpointErrorDetails = {}) {
    const where = [details.file, details.tensor === undefined ? undefined : `tensor ${printable(details.tensor)}`];
    const prefix = where.filter((part) => part !== undefined).join(": ");
    super(prefix === "" ? reason : `${prefix}: ${reason}`, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "CheckpointError";
    this.code = code;
    this.file = details.file;
    this.tensor = details.tensor;
  }

  /** True for errors of any copy of this package, so that two installed versions don't hide one another's. */
  static isInstance(error: unknown): error is CheckpointError {
    return typeof error === "object" && error !== null && marker in error;
  }
}

/** A name out of a file, safe to print on one line: names are data, and may hold line breaks or be very long. */
export function printable(name: string): string {
  const longest = 120; // real tensor names stay below 100
  const quoted = JSON.stringify(name.length > longest ? `${name.slice(0, longest)}…` : name).slice(1, -1);
  return quoted === "" ? '""' : quoted;
}
