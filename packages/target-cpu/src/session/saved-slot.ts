import { SessionError } from "@llm/target";
import { digestOf } from "./digest.ts";

/** What a saved slot begins with; the digit changes with the layout. */
const MAGIC = Buffer.from("LLMSLOT1");
const DIGEST = 32;
/** magic, tokens (u32), reserved (u32), whose it is, a digest of what follows */
const HEADER = MAGIC.length + 8 + 2 * DIGEST;

/** What one slot holds, apart from any session. */
export interface SavedSlot {
  readonly tokens: number;
  readonly values: Float32Array;
}

/** A slot's content as bytes; `owner` says which model, in which precision, it belongs to. */
export function writeSlot({ tokens, values }: SavedSlot, owner: string): Uint8Array {
  const body = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const counts = Buffer.alloc(8);
  counts.writeUInt32LE(tokens);
  return Buffer.concat([MAGIC, counts, digestOf(Buffer.from(owner)), digestOf(body), body]);
}

/** The slot in `bytes`; refuses what isn't whole, or is another model's. `floats` is how many a token takes. */
export function readSlot(bytes: Uint8Array, owner: string, floats: number): SavedSlot {
  const saved = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (saved.length < HEADER || !saved.subarray(0, MAGIC.length).equals(MAGIC))
    throw new SessionError("saved-invalid", "these bytes are no saved slot");
  const tokens = saved.readUInt32LE(MAGIC.length);
  const whose = saved.subarray(MAGIC.length + 8, MAGIC.length + 8 + DIGEST);
  if (!whose.equals(digestOf(Buffer.from(owner))))
    throw new SessionError("saved-invalid", "this slot was saved from another model, or another precision of it");
  const body = saved.subarray(HEADER);
  if (body.length !== tokens * floats * 4 || !saved.subarray(HEADER - DIGEST, HEADER).equals(digestOf(body)))
    throw new SessionError("saved-invalid", "this saved slot is damaged; it can't be restored");
  const values = new Float32Array(tokens * floats);
  new Uint8Array(values.buffer).set(body); // a copy, because the bytes may lie at any address
  return { tokens, values };
}
