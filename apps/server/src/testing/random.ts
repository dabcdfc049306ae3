/** The same numbers between 0 and 1 each time, by a seed. */
export function randomOf(seed: number): () => number {
  let state = (Math.abs(seed) % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** The same whole numbers below a bound each time. */
export function pickOf(seed: number): (below: number) => number {
  const random = randomOf(seed);
  return (below) => Math.floor(random() * below);
}
