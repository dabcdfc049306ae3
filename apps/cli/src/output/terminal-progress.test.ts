import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { styleFor } from "./style.ts";
import { terminalProgress } from "./terminal-progress.ts";

const ESCAPE = String.fromCharCode(27);

/** A one-line terminal: what a person would see after the escapes have done their work. */
function screen(columns = 60) {
  let raw = "";
  const terminal = { columns, write: (text: string) => (raw += text) };
  const lines = () =>
    raw
      .replaceAll(new RegExp(`${ESCAPE}\\[\\?25[lh]`, "g"), "")
      .split("\n")
      .map((line) => line.split(`\r${ESCAPE}[2K`).at(-1)!);
  return { terminal, lines, raw: () => raw };
}

describe("the terminal display", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("keeps what is done and moves what is not", () => {
    const { terminal, lines, raw } = screen();
    let time = 0;
    const progress = terminalProgress(terminal, styleFor({}, {}), () => time);
    progress.begin("export");
    expect(lines().at(-1)).toMatch(/^⠋ export/);
    time = 2000;
    progress.update({ done: 5_000_000, total: 10_000_000, unit: "bytes" });
    vi.advanceTimersByTime(80);
    expect(lines().at(-1)).toMatch(/^⠙ export {4}━+ 5\.0 MB of 10\.0 MB, 2\.5 MB\/s 2\.0 s$/);
    progress.end({ seconds: 2, note: "10.0 MB" });
    progress.begin("verify");
    progress.end({ seconds: 0, skipped: true });
    expect(lines()).toEqual(["✓ export      2.0 s  10.0 MB", "↷ verify    skipped: up to date", ""]);
    expect(raw().split(`${ESCAPE}[?25l`).length).toBe(raw().split(`${ESCAPE}[?25h`).length); // the cursor comes back
  });

  it.each([16, 24, 32, 40, 50, 60, 72, 80, 120])("stays on one line of %i columns", (columns) => {
    const { terminal, lines } = screen(columns);
    let time = 0;
    const progress = terminalProgress(terminal, styleFor({}, {}), () => time);
    progress.begin("transform");
    const states = [
      { done: 999_400_000_000, total: 999_400_000_000, unit: "bytes" as const },
      { done: 123_456_000, total: 999_400_000_000, unit: "bytes" as const, note: "12 of 34 files" },
      { done: 1234, total: 5678, note: "a note that is longer than any line has room for ".repeat(3) },
      { done: 0, total: 0, note: "a note that is longer than any line has room for ".repeat(3) },
    ];
    for (const state of states)
      for (time of [100, 2000, 125_000, 3_600_000]) {
        progress.update(state);
        vi.advanceTimersByTime(80);
        expect(lines().at(-1)!.length).toBeLessThan(columns);
        if (columns >= 60 && state.total > 0) expect(lines().at(-1)).toMatch(/━.* of /);
      }
    progress.close();
  });

  it("has a clock of its own", () => {
    const { terminal, lines } = screen();
    const progress = terminalProgress(terminal, styleFor({}, {}));
    progress.begin("export");
    progress.close();
    expect(lines()).toEqual([""]);
  });

  it("prints lines above the moving one, and leaves nothing behind", () => {
    const { terminal, lines } = screen();
    const progress = terminalProgress(terminal, styleFor({}, {}), () => 0);
    progress.begin("fetch", "a note that is much longer than what is left of the sixty columns of this terminal");
    expect(lines().at(-1)!.length).toBeLessThanOrEqual(60);
    progress.line("something to know");
    expect(lines()[0]).toBe("something to know");
    progress.close();
    vi.advanceTimersByTime(1000);
    expect(lines()).toEqual(["something to know", ""]);
  });
});
