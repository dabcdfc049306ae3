import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { lostPages } from "./docs-index.ts";

it("finds pages that can't be found, and links that lead nowhere", () => {
  const base = mkdtempSync(join(tmpdir(), "docs-index-"));
  try {
    mkdirSync(join(base, "docs"));
    const write = (name: string, text: string) => writeFileSync(join(base, "docs", name), text);
    write("README.md", "[one](one.md#here) and [gone](gone.md)");
    write("one.md", "# One");
    write("two.md", "# Two");
    expect(lostPages(base)).toEqual([
      "docs/README.md: doesn't lead to docs/two.md",
      "docs/README.md: there is no docs/gone.md",
    ]);
  } finally {
    rmSync(base, { recursive: true });
  }
});
