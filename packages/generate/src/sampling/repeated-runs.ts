/**
 * For every token that followed an earlier copy of the history's end: the length of the longest such copy. Copies reach across
 * no breaker, and breakers follow none. One pass, however repetitive the history: with it reversed, the copies are prefixes of
 * it, which the Z algorithm measures.
 */
export function runsBefore(
  tokens: ArrayLike<number>,
  length: number,
  breakers: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const longest = new Map<number, number>();
  const back = (i: number): number => tokens[length - 1 - i]!;
  let most = 0; // the tokens after the last breaker
  while (most < length && !breakers.has(back(most))) most++;
  if (most === 0) return longest;
  const runs = new Int32Array(length);
  let from = 0; // [from, to) is the copy seen so far that reaches furthest
  let to = 0;
  for (let i = 1; i < length; i++) {
    let run = i < to ? Math.min(to - i, runs[i - from]!) : 0;
    while (i + run < length && back(run) === back(i + run)) run++;
    runs[i] = run;
    if (i + run > to) [from, to] = [i, i + run];
    const next = back(i - 1);
    if (run > 0 && !breakers.has(next)) longest.set(next, Math.max(longest.get(next) ?? 0, Math.min(run, most)));
  }
  return longest;
}
