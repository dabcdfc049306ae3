/** Writes `count` codes of `bits` each from byte `at` on, the first in the lowest bits. */
export function packBits(codes: Uint8Array, count: number, bits: 4 | 6 | 8, into: Uint8Array, at: number): void {
  for (let i = count; i < codes.length; i++) codes[i] = 0;
  if (bits === 8) for (let i = 0; i < count; i++) into[at + i] = codes[i]!;
  else if (bits === 4) for (let i = 0; i < count; i += 2) into[at + (i >> 1)] = codes[i]! | (codes[i + 1]! << 4);
  else {
    const end = at + Math.ceil((count * 6) / 8);
    for (let i = 0, byte = at; i < count; i += 4, byte += 3) {
      const four = codes[i]! | (codes[i + 1]! << 6) | (codes[i + 2]! << 12) | (codes[i + 3]! << 18);
      into[byte] = four;
      if (byte + 1 < end) into[byte + 1] = four >> 8;
      if (byte + 2 < end) into[byte + 2] = four >> 16;
    }
  }
}

/** Reads them back. */
export function unpackBits(packed: Uint8Array, at: number, bits: 4 | 6 | 8, codes: Uint8Array, count: number): void {
  if (bits === 8) for (let i = 0; i < count; i++) codes[i] = packed[at + i]!;
  else if (bits === 4) for (let i = 0; i < count; i++) codes[i] = (packed[at + (i >> 1)]! >> (4 * (i & 1))) & 15;
  else
    for (let i = 0, byte = at; i < count; i += 4, byte += 3) {
      const four = packed[byte]! | ((packed[byte + 1] ?? 0) << 8) | ((packed[byte + 2] ?? 0) << 16);
      for (let n = 0; n < 4 && i + n < count; n++) codes[i + n] = (four >> (6 * n)) & 63;
    }
}
