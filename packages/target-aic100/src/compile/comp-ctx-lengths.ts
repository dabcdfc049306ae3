import { invalid } from "./settings.ts";

/** Lengths below this gain nothing on the device. */
const LEAST = 1024;
/** A list of the compiler's may be no longer; with chunks of one token, one list serves both uses. */
const MOST = 5;
/** By how much a length gives way to one that the other list has. */
const STEP = 32;

export interface ContextLengths {
  readonly prefill: readonly number[];
  readonly decode: readonly number[];
}

/**
 * Lengths of the cache that a step may be compiled to see, as the compiler takes them: none very short, the longest the whole
 * context, and none in both lists, where the one for prompts gives way.
 */
export function contextLengths(
  given: ContextLengths,
  { promptLen, ctxLen }: { readonly promptLen: number; readonly ctxLen: number },
): ContextLengths {
  const both = promptLen === 1;
  const most = both ? 2 * MOST : MOST;
  const [prefill, decode] = [given.prefill, given.decode].map((list) => tidy(list, ctxLen));
  const shared = tidy([...given.prefill, ...given.decode], ctxLen);
  const lists = both ? { prefill: shared, decode: shared } : { prefill: apart(prefill!, decode!), decode: decode! };
  for (const list of [lists.prefill, lists.decode])
    if (list.length > most) throw invalid(`--comp-ctx-lengths: ${list.length} lengths; the compiler takes ${most}`);
  return lists;
}

function tidy(lengths: readonly number[], ctxLen: number): readonly number[] {
  const wrong = lengths.find((length) => !Number.isSafeInteger(length) || length < 1);
  if (wrong !== undefined) throw invalid(`--comp-ctx-lengths ${wrong}: a length is a whole number of at least 1`);
  const within = lengths.map((length) => Math.min(ctxLen, Math.max(LEAST, length)));
  return [...new Set([...within, ctxLen])].sort((a, b) => a - b);
}

/** From the longest down, so that each can give way to those that stay. */
function apart(prefill: readonly number[], decode: readonly number[]): readonly number[] {
  const taken = new Set(decode);
  const moved = prefill.toReversed().map((length) => {
    let free = length;
    if (taken.has(free)) free = Math.ceil(free / STEP) * STEP - STEP;
    while (taken.has(free) && free > 0) free -= STEP;
    if (free <= 0) throw invalid(`--comp-ctx-lengths ${length}: nothing shorter is left for prompts`);
    taken.add(free);
    return free;
  });
  return moved.toReversed();
}
