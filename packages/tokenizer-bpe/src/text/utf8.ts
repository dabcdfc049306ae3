const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Text of bytes; each maximal malformed part becomes one U+FFFD, as everywhere on the web and in Rust. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes a code point's UTF-8 bytes and returns the position after them. */
export function putUtf8(bytes: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    bytes[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    bytes[at] = 0xc0 | (code >> 6);
    bytes[at + 1] = 0x80 | (code & 0x3f);
    return at + 2;
  }
  if (code < 0x10000) {
    bytes[at] = 0xe0 | (code >> 12);
    bytes[at + 1] = 0x80 | ((code >> 6) & 0x3f);
    bytes[at + 2] = 0x80 | (code & 0x3f);
    return at + 3;
  }
  bytes[at] = 0xf0 | (code >> 18);
  bytes[at + 1] = 0x80 | ((code >> 12) & 0x3f);
  bytes[at + 2] = 0x80 | ((code >> 6) & 0x3f);
  bytes[at + 3] = 0x80 | (code & 0x3f);
  return at + 4;
}

/**
 * Whether the text of these bytes ends with U+FFFD: an unfinished or malformed tail, or that character itself. Looks at
 * the last four bytes only, since UTF-8 finds its own character boundaries.
 */
export function endsUnfinished(bytes: Uint8Array, length: number = bytes.length): boolean {
  if (length === 0 || bytes[length - 1] < 0x80) return false;
  let lead = length - 1;
  while (lead > 0 && lead > length - 4 && (bytes[lead] & 0xc0) === 0x80) lead--;
  return decodeUtf8(bytes.subarray(lead, length)).endsWith("\ufffd");
}
