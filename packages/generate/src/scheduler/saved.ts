import { GenerateError } from "../error.ts";

/** A history that was saved: its tokens, for how long a prompt it was computed, and the session's own bytes. */
export interface Saved {
  readonly tokens: Int32Array;
  readonly reach: number;
  readonly state: Uint8Array;
}

const MAGIC = 0x32484c4c; // "LLH2", little endian
/** magic, how many tokens, reach, a sum over those two and the tokens: a session looks after its own bytes. */
const HEADER_BYTES = 16;

export function packSaved({ tokens, reach, state }: Saved): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + tokens.length * 4 + state.length);
  const view = new DataView(bytes.buffer);
  const header = [MAGIC, tokens.length, reach, sumOf(tokens, reach)];
  header.forEach((word, i) => void view.setUint32(4 * i, word, true));
  tokens.forEach((id, i) => void view.setInt32(HEADER_BYTES + 4 * i, id, true));
  bytes.set(state, HEADER_BYTES + 4 * tokens.length);
  return bytes;
}

export function unpackSaved(bytes: Uint8Array): Saved {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const damaged = (): GenerateError =>
    new GenerateError("option-invalid", "these bytes hold no saved history, or only a part of one");
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw damaged();
  const count = view.getUint32(4, true);
  if (count * 4 > bytes.length - HEADER_BYTES) throw damaged();
  const tokens = Int32Array.from({ length: count }, (_, i) => view.getInt32(HEADER_BYTES + 4 * i, true));
  const reach = view.getUint32(8, true);
  if (view.getUint32(12, true) !== sumOf(tokens, reach)) throw damaged();
  return { tokens, reach, state: bytes.subarray(HEADER_BYTES + 4 * count) };
}

/** Another number wherever one word is another. */
function sumOf(tokens: Int32Array, reach: number): number {
  let sum = tokens.length;
  const add = (word: number): void => {
    sum = Math.imul(sum ^ word, 0x01000193);
  };
  add(reach);
  tokens.forEach(add);
  return sum >>> 0;
}
