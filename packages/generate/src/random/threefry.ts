const PARITY = 0x1bd11bda;
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/**
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): two words of counter
 * under two words of key become two words that no known test can tell from noise. No state, so draws can be made in any order.
 */
export function threefry2x32(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, PARITY ^ key[0] ^ key[1]];
  let a = (counter[0] + keys[0]!) | 0;
  let b = (counter[1] + keys[1]!) | 0;
  for (let block = 0; block < 5; block++) {
    for (const rotation of ROTATIONS[block % 2]!) {
      a = (a + b) | 0;
      b = ((b << rotation) | (b >>> (32 - rotation))) ^ a;
    }
    a = (a + keys[(block + 1) % 3]!) | 0;
    b = (b + keys[(block + 2) % 3]! + block + 1) | 0;
  }
  return [a >>> 0, b >>> 0];
}
