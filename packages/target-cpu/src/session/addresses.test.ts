import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { addressesCount } from "./addresses.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-addresses-"));
afterAll(() => rmSync(folder, { recursive: true }));

function counts(most: string, setting: string): boolean {
  const [limits, overcommit] = [join(folder, "limits"), join(folder, "overcommit")];
  const line = (name: string, value: string) => `${name.padEnd(26)}${value.padEnd(21)}${value.padEnd(21)}bytes\n`;
  writeFileSync(limits, `${line("Max resident set", "unlimited")}${line("Max address space", most)}`);
  writeFileSync(overcommit, `${setting}\n`);
  return addressesCount({ limits, overcommit });
}

test("addresses are free, unless this process may have only so many or the system keeps what it promises", () => {
  expect(counts("unlimited", "0")).toBe(false);
  expect(counts("unlimited", "1")).toBe(false);
  expect(counts("8589934592", "0")).toBe(true);
  expect(counts("unlimited", "2")).toBe(true);
});

test("where the system says nothing they are", () => {
  expect(addressesCount({ limits: join(folder, "none"), overcommit: join(folder, "none") })).toBe(false);
});
