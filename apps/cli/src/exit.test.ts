import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { GenerateError } from "@llm/generate";
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

  it("calls options by their flags", () => {
    const error = new GenerateError("unsupported", "a beam search takes no jsonSchema; leave out numBeams, or that");
    expect(describeError(error)).toBe("a beam search takes no --json-schema; leave out --num-beams, or that");
    expect(describeError(new GenerateError("unsupported", "isSpecial is wrong"))).toBe("isSpecial is wrong");
  });

  it("owns up to a bug", () => {
    expect(describeError(coded("ERR_INVALID_THIS"))).toMatch(/^internal error/);
    expect(describeError(new TypeError("x is undefined"))).toMatch(
      /^internal error: TypeError: x is undefined .*--debug/,
    );
  });
});

describe("errors of the operating system", () => {
  it("are said with their path and what to do, not in the system's words", async () => {
    const here = fileURLToPath(import.meta.url);
    const error = await mkdir(`${here}/inside`).catch((reason: unknown) => reason);
    expect(describeError(error)).toBe(
      `${here}/inside: a file is where a folder should be; choose another place (ENOTDIR)`,
    );
    const odd = Object.assign(new Error("EIO: i/o error, write"), { code: "EIO", syscall: "write", path: "/x" });
    expect(describeError(odd)).toBe("/x: the system refuses it (EIO)");
  });
});
