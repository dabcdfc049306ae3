import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digestOf } from "./digest.ts";

test.each([0, 1, 10, 11, 100])("%i bytes in pieces have the digest of the whole", (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
  expect(digestOf(bytes, 10)).toEqual(createHash("sha256").update(bytes).digest());
});
