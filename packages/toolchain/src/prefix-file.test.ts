import { join } from "node:path";
import { expect, test } from "vitest";
import { readPrefix, writePrefix } from "./prefix-file.ts";
import { scratch } from "./testing/scratch.ts";

const { folder } = scratch();

test("a prefix comes back as it was written, in pieces too", async () => {
  const file = join(folder, "deep", "prefix");
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 3);
  await writePrefix(file, bytes);
  for (const piece of [1, 7, 500, 1000, 4096]) expect(await readPrefix(file, piece)).toEqual(bytes);
});

test("one that isn't there says what makes one", async () => {
  await expect(readPrefix(join(folder, "none"))).rejects.toThrow("there is no such file; savePrefixTo makes one");
});
