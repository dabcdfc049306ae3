import { describe, expect, it } from "vitest";
import { describeError, exitCodeOf, UsageError } from "./exit.ts";

const coded = (code: string, message = "went wrong") => Object.assign(new Error(message), { code });

describe("errors and exit codes", () => {
  it.each([
    [new UsageError("no"), 2],
    [coded("option-invalid"), 2],
    [coded("target-not-installed"), 3],
    [coded("runtime-missing"), 3],
    [coded("file-truncated"), 1],
    [new TypeError("oops"), 1],
    [new DOMException("stop", "AbortError"), 130],
  ])("%s → %d", (error, code) => expect(exitCodeOf(error)).toBe(code));

  it("says foreseen errors as they are, on one line", () => {
    expect(describeError(coded("file-truncated", "a:\n  b"))).toBe("a: b");
  });

  it("owns up to a bug", () => {
    expect(describeError(coded("ERR_INVALID_THIS"))).toMatch(/^internal error/);
    expect(describeError(new TypeError("x is undefined"))).toMatch(
      /^internal error: TypeError: x is undefined .*--debug/,
    );
  });
});
