/** Ids of the tokens that have bytes and aren't left out, in the order of those bytes. */
export function sortByBytes(bytesOf: readonly (Uint8Array | undefined)[], except: ReadonlySet<number>): Int32Array {
  // The engine sorts strings natively, several times faster than it calls back to compare bytes; one character a byte keeps
  // their order, and the id behind them makes every string its own.
  const texts: string[] = [];
  for (const [id, bytes] of bytesOf.entries()) {
    if (!bytes || bytes.length === 0 || except.has(id)) continue;
    texts.push(`${latin1(bytes)}\u0000${String.fromCharCode(0x100 + (id >>> 15), 0x100 + (id & 0x7fff))}`);
  }
  texts.sort();
  const sorted = new Int32Array(texts.length);
  for (const [i, text] of texts.entries()) {
    sorted[i] = ((text.charCodeAt(text.length - 2) - 0x100) << 15) | (text.charCodeAt(text.length - 1) - 0x100);
  }
  return sorted;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte + 1);
  return text;
}
