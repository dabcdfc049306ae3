import { NOT_WITH_BEAMS } from "../beams/beam-texts.ts";
import { narrows } from "../sampling/neutral.ts";
import { FORMS, isAsked } from "./constrained.ts";
import type { GenerateOptions } from "./options.ts";

/** What transformers draws from where it is told to draw and nothing else. */
const TOP_K = 50;

/** Ways to say one thing, of which one goes before another: but not one by default before one that was asked for. */
const INSTEAD: readonly (readonly (keyof Switched)[])[] = [
  ["maxNewTokens", "maxLength"],
  ["minNewTokens", "minLength"],
  ["random", "seed"],
  [...FORMS, "allow"],
];

/** Options with one switch for drawing. */
export type Switched = Omit<GenerateOptions, "doSample">;

/**
 * A call's options over the defaults. Whoever says how tokens are chosen decides whether they are drawn: the call, where it asks for
 * the likeliest (`greedy`, temperature 0) or for drawing (a temperature, what narrows what is drawn from, or several texts, which
 * would else be the same); the defaults, where it says nothing. A beam search draws nothing but what the call asks for.
 *
 * @param without Options that this kind of generation can't have: what the defaults say of them goes unheard
 */
export function withDefaults(
  defaults: GenerateOptions,
  asked: GenerateOptions,
  without: readonly (keyof GenerateOptions)[] = [],
): Switched {
  const own = switched(asked);
  const { greedy: usual, ...values } = heard(switched(defaults), own, without);
  const few = defaults.doSample || asked.doSample ? { topK: TOP_K } : {};
  const all = { ...few, ...values, ...own };
  const { n = 1, bestOf = n, numBeams = 1 } = all;
  if (own.greedy !== undefined || own.temperature !== undefined || narrows(own))
    return { ...all, greedy: own.greedy ?? false };
  if (numBeams > 1) return { ...all, greedy: true };
  if (Math.max(n, bestOf) > 1) return { ...all, greedy: false };
  return usual === undefined ? all : { ...all, greedy: usual };
}

/** What of the defaults counts beside what a call says. */
function heard(defaults: Switched, own: Switched, without: readonly (keyof GenerateOptions)[]): Switched {
  const unheard = new Set<string>(without);
  const { numBeams = unheard.has("numBeams") ? 1 : defaults.numBeams } = own;
  if ((numBeams ?? 1) > 1) for (const name of NOT_WITH_BEAMS) unheard.add(name);
  for (const ways of INSTEAD)
    if (ways.some((name) => isAsked(name, own[name]))) for (const name of ways) unheard.add(name);
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !unheard.has(name)));
}

/** All that decides by itself whether to draw, as `greedy`: the switch of transformers, and temperature 0. */
function switched({ doSample, ...options }: GenerateOptions): Switched {
  const { temperature, ...rest } = options;
  if (typeof temperature === "number" && Math.fround(temperature) === 0) return { ...rest, greedy: true };
  if (doSample === undefined) return options;
  return { greedy: !doSample, ...options };
}
