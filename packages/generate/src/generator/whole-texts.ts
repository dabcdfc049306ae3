import { beamTexts } from "../beams/beam-texts.ts";
import { GenerateError } from "../error.ts";
import { logprobsOf } from "../reading/read.ts";
import type { GeneratedToken } from "../scheduler/request.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { type Completion, PieceQueue, type Started } from "./generation.ts";
import { given, randomOf, type Settled } from "./options.ts";
import { endsOf, type Fitted } from "./prompt.ts";

interface Parts {
  readonly scheduler: Scheduler;
  readonly tokenizer: TextTokenizer;
}

/** Texts that come in one piece, if those are asked for: of a search, or none at all where a prompt is only read. */
export function wholeTexts(
  parts: Parts,
  { tokens, maxNewTokens }: Fitted,
  options: Settled,
): Started<Completion[]> | undefined {
  if (maxNewTokens === 0) return onlyScored(parts, tokens, options);
  if ((options.numBeams ?? 1) <= 1) return undefined;
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  const ends = endsOf(parts.tokenizer, options);
  const done = beamTexts({ ...parts, prompt: tokens, maxNewTokens, ends, options: { ...options, signal } });
  return { done, cancel: (reason) => abort.abort(reason) };
}

/** How likely a prompt's tokens are, where that is asked for: it is read once more for that. */
export function scoredPrompt(
  scheduler: Scheduler,
  tokens: Int32Array,
  options: Settled,
): Started<GeneratedToken[]> | undefined {
  const { promptLogprobs: count } = options;
  if (count === undefined) return undefined;
  const scored = logprobsOf(scheduler, tokens, { count, ...given(options, ["adapter", "priority", "signal"]) });
  scored.done.catch(() => {}); // told with the completion, unless that fails before
  return scored;
}

function onlyScored({ scheduler }: Parts, tokens: Int32Array, options: Settled): Started<Completion[]> {
  const scored = scoredPrompt(scheduler, tokens, options);
  if (!scored)
    throw new GenerateError("option-invalid", "maxNewTokens is 0, which only makes sense with promptLogprobs");
  const began = performance.now();
  const done = scored.done.then((promptLogprobs): Completion[] => {
    const totalMs = performance.now() - began;
    const usage = { promptTokens: tokens.length, cachedTokens: 0, completionTokens: 0 };
    const timings = { firstTokenMs: totalMs, totalMs };
    return [
      { text: "", tokens: [], finishReason: "length", promptLogprobs, usage, random: randomOf(options), timings },
    ];
  });
  return { done, cancel: scored.cancel };
}

/** The first of texts that come all at once, as one that came in pieces. */
export function asPieces({
  done,
  cancel,
}: Started<Completion[]>): Started<Completion> & { readonly pieces: PieceQueue } {
  const pieces = new PieceQueue();
  const first = done.then(([completion]) => completion!);
  first.then(
    ({ text }) => {
      pieces.push(text);
      pieces.end();
    },
    (error: unknown) => pieces.end(error),
  );
  return { done: first, cancel, pieces };
}
