import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { servedNames } from "./served-names.ts";

const home = mkdtempSync(join(tmpdir(), "llm-names-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const [a, b] = ["one/foo", "two/foo"].map((name) => join(home, name)) as [string, string];
for (const folder of [a, b]) mkdirSync(folder, { recursive: true });

const namesOf = (models: readonly string[], aliases: readonly string[] = [], adapters: readonly string[] = []) =>
  servedNames(models, aliases, adapters).map(({ id, aliases: more, unlisted }) => [id, more, unlisted]);

describe("what is served is called", () => {
  it("as it was given, and of a path by its last part", () => {
    expect(namesOf(["bigcode/starcoderbase-1b", "demo", `${a}/`])).toEqual([
      ["bigcode/starcoderbase-1b", [], []],
      ["demo", [], []],
      ["foo", [], [`${a}/`]],
    ]);
  });

  it("as is said, and still understood by its own name", () => {
    expect(namesOf(["demo", a, b], ["x", `y=${b}/`, "z=demo"])).toEqual([
      ["x", ["z"], ["demo"]],
      ["foo", [], [a]],
      ["y", [], [b]], // `foo` is the other's
    ]);
  });

  it.each([
    [["demo", "demo"], [], [], /--also demo: that is MODEL already, or given twice/],
    [["demo", a, `${a}/../foo`], [], [], /--also .*: that is MODEL already, or given twice/],
    [[a, b], [], [], /foo would be the name of two; choose another for .*two\/foo, with --alias NAME=/],
    [["demo"], ["sql"], ["sql"], /sql would be the name of two/],
    [["demo", a], ["x", `x=${a}`], [], /x would be the name of two/],
    [["demo"], ["x=other"], [], /--alias x=other: other isn't served; there is demo/],
    [["demo"], ["x="], [], /--alias x=: give a name/],
  ])("by names that stand for one thing: %#", (models, aliases, adapters, message) => {
    expect(() => namesOf(models, aliases, adapters)).toThrow(message);
  });
});
