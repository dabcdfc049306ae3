/** What becomes of the text that a pattern matched. */
export type Behaviour = "Removed" | "Isolated" | "Contiguous" | "MergedWithPrevious" | "MergedWithNext";

/** A stretch of text: matched, or between matches. Matches of nothing keep what is beside them apart. */
export interface Stretch {
  start: number;
  end: number;
  readonly matched: boolean;
}

/** All of a text as stretches, from the places where a pattern matches. */
export function stretches(length: number, matches: Iterable<readonly [start: number, end: number]>): Stretch[] {
  const found: Stretch[] = [];
  let from = 0;
  for (const [start, end] of matches) {
    if (start > from) found.push({ start: from, end: start, matched: false });
    found.push({ start, end, matched: true });
    from = end;
  }
  if (from < length) found.push({ start: from, end: length, matched: false });
  return found;
}

/** The pieces that remain, by the behaviour asked for. */
export function cut(found: readonly Stretch[], behaviour: Behaviour, invert: boolean): Stretch[] {
  const all = invert ? found.map((one) => ({ ...one, matched: !one.matched })) : found.map((one) => ({ ...one }));
  switch (behaviour) {
    case "Removed":
      return all.filter((one) => !one.matched);
    case "Isolated":
      return all;
    case "Contiguous":
      return joined(all, (last, one) => last.matched === one.matched);
    case "MergedWithPrevious":
      return joined(all, (last, one) => one.matched && !last.matched);
    case "MergedWithNext":
      return joinedBackwards(all);
  }
}

function joined(all: readonly Stretch[], joins: (last: Stretch, one: Stretch) => boolean): Stretch[] {
  const out: Stretch[] = [];
  for (const [index, one] of all.entries()) {
    if (index > 0 && joins(all[index - 1], one)) out[out.length - 1].end = one.end;
    else out.push({ ...one });
  }
  return out;
}

function joinedBackwards(all: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  for (let index = all.length - 1; index >= 0; index--) {
    const one = all[index];
    if (index + 1 < all.length && one.matched && !all[index + 1].matched) out[out.length - 1].start = one.start;
    else out.push({ ...one });
  }
  return out.reverse();
}
