/**
 * GPT-2's byte alphabet: the character that stands for each byte in the vocabularies of byte-level models. Bytes that print
 * stand for themselves, the other 68 for the characters from U+0100 on.
 */
export const byteToChar: readonly string[] = makeAlphabet();

/** The inverse by code point; −1 for characters outside the alphabet. All of it lies below U+0144. */
export const charToByte: Int16Array = invert(byteToChar);

function makeAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(prints ? byte : next++);
  });
}

function invert(alphabet: readonly string[]): Int16Array {
  const inverse = new Int16Array(0x144).fill(-1);
  for (const [byte, char] of alphabet.entries()) inverse[char.charCodeAt(0)] = byte;
  return inverse;
}

/** The bytes that a token of a byte-level vocabulary stands for, or undefined when it isn't written in the alphabet. */
export function alphabetBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const unit = token.charCodeAt(i);
    const byte = unit < charToByte.length ? charToByte[unit] : -1;
    if (byte < 0) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

/** Bytes, written in the alphabet. */
export function bytesToAlphabet(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byteToChar[byte];
  return text;
}
