import { createHash } from "node:crypto";
import { SessionError } from "@llm/target";
import type { CacheTensor } from "./device-memory.ts";
import type { Layout } from "./layout.ts";

const MAGIC = 0x584d3842; // "B8MX", little endian
const HEADER_BYTES = 16;
const HASH_BYTES = 32;

/** A history as bytes: magic, version, what model it fits, its length, entries tensor by tensor, and a hash of all. */
export function packSaved(layout: Layout, length: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat([new Uint8Array(Uint32Array.of(MAGIC, 1, fingerprint(layout), length).buffer), ...parts]);
  return new Uint8Array(Buffer.concat([body, createHash("sha256").update(body).digest()]));
}

export function unpackSaved(
  layout: Layout,
  saved: Uint8Array,
  tensors: readonly CacheTensor[],
): { readonly length: number; readonly parts: readonly Uint8Array[] } {
  const refuse = () => new SessionError("saved-invalid", "these bytes were saved by another session, or are damaged");
  if (saved.length < HEADER_BYTES + HASH_BYTES) throw refuse();
  const body = saved.subarray(0, saved.length - HASH_BYTES);
  if (
    !createHash("sha256")
      .update(body)
      .digest()
      .equals(saved.subarray(saved.length - HASH_BYTES))
  )
    throw refuse();
  const [magic, version, model, length] = new Uint32Array(new Uint8Array(body.subarray(0, HEADER_BYTES)).buffer);
  const bytes = tensors.reduce((sum, { row }) => sum + row * length!, 0);
  if (magic !== MAGIC || version !== 1 || model !== fingerprint(layout) || body.length !== HEADER_BYTES + bytes)
    throw refuse();
  let at = HEADER_BYTES;
  const parts = tensors.map(({ row }) => body.subarray(at, (at += row * length!)));
  return { length: length!, parts };
}

/** Of sizes: whether two models are the same is for whoever keeps saved histories to know. */
function fingerprint({ context, width, vocab, layers }: Layout): number {
  const sizes = [context, width, vocab, layers.length].join(" ");
  return createHash("sha256").update(sizes).digest().readUInt32LE(0);
}
