import { createHash } from "node:crypto";

/** A hash takes less than 2 GiB at once. */
const PIECE = 2 ** 30;

/** SHA-256 of bytes, however many. */
export function digestOf(bytes: Uint8Array, piece: number = PIECE): Buffer {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += piece) hash.update(bytes.subarray(at, at + piece));
  return hash.digest();
}
