/** Writes codes of `bits` each, the first in the lowest bits; `into` starts as zeros. */
export function packBits(codes: Uint8Array, bits: number, into: Uint8Array, at: number): void {
  if (bits === 8) {
    into.set(codes, at);
  } else if (bits === 4) {
    for (let i = 0; i < codes.length; i++) into[at + (i >> 1)]! |= codes[i]! << (4 * (i & 1));
  } else {
    for (let i = 0, bit = 0; i < codes.length; i++, bit += bits) {
      const shifted = codes[i]! << (bit & 7);
      into[at + (bit >> 3)]! |= shifted;
      if ((bit & 7) + bits > 8) into[at + (bit >> 3) + 1]! |= shifted >> 8;
    }
  }
}

/** Reads them back. */
export function unpackBits(packed: Uint8Array, at: number, bits: number, codes: Uint8Array): void {
  const mask = 2 ** bits - 1;
  for (let i = 0, bit = 8 * at; i < codes.length; i++, bit += bits) {
    const byte = bit >> 3;
    codes[i] = ((packed[byte]! | ((packed[byte + 1] ?? 0) << 8)) >> (bit & 7)) & mask;
  }
}
