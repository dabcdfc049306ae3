/** Stable names of what can be wrong with a target, its units or its artefacts; scripts may match on them. */
export type TargetErrorCode =
  | "option-invalid"
  | "does-not-fit" // the model needs more than the device has
  | "unsupported" // legal, but not on this device
  | "resources" // the system gives no memory, files or threads
  | "tool-missing" // something that must be installed; the message says how
  | "unit-invalid" // units that contradict one another, or themselves
  | "unit-failed" // a compiler or writer gave up
  | "disk-full"
  | "write-failed"
  | "artefact-missing"
  | "artefact-invalid" // a manifest that makes no sense
  | "artefact-damaged" // files that are not what the manifest says
  | "artefact-changed" // a linked checkpoint that is no longer the one that was exported
  | "artefact-newer" // made by a newer version of this program
  | "folder-occupied"; // something else is where the artefact should go

/** Stable names of what a session refuses. */
export type SessionErrorCode =
  | "closed"
  | "busy" // a second call before the first was answered
  | "slot" // no such slot, or twice in one step
  | "gap" // `at` is past what the slot holds
  | "rewind" // `at` is further back than the device can go
  | "context" // more tokens than a slot can hold
  | "cache" // more tokens than all slots together can hold
  | "chunk" // more tokens in one row than the device takes, or none
  | "token" // an id outside the vocabulary
  | "want" // something that the device can't answer
  | "lockstep" // rows that must start and step together, and don't
  | "adapter"
  | "unsupported"
  | "saved-invalid" // bytes that no session like this one saved
  | "device"; // the device or its driver failed

const targetMarker = Symbol.for("@llm/target.TargetError");
const sessionMarker = Symbol.for("@llm/target.SessionError");

/** What goes wrong before a session is open: one line that names the unit or file and what to do. */
export class TargetError extends Error {
  readonly code: TargetErrorCode;
  readonly [targetMarker] = true;

  constructor(code: TargetErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "TargetError";
    this.code = code;
  }

  /** True for errors of any copy of this package. */
  static isInstance(error: unknown): error is TargetError {
    return typeof error === "object" && error !== null && targetMarker in error;
  }
}

/** What a session refuses, and what its device fails at. A refused call changes nothing. */
export class SessionError extends Error {
  readonly code: SessionErrorCode;
  /**
   * Of a failure, where the session knows: the slots that hold nothing any more. All others hold what they held before the
   * call, which may be made again without these. Absent: nobody knows what any slot holds.
   */
  readonly lost: readonly number[] | undefined;
  readonly [sessionMarker] = true;

  constructor(
    code: SessionErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly lost?: readonly number[] } = {},
  ) {
    super(message, options);
    this.name = "SessionError";
    this.code = code;
    this.lost = options.lost;
  }

  /** True for errors of any copy of this package. */
  static isInstance(error: unknown): error is SessionError {
    return typeof error === "object" && error !== null && sessionMarker in error;
  }
}
