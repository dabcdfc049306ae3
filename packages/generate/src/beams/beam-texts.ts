import { GenerateError } from "../error.ts";
import type { Completion } from "../generator/generation.ts";
import { type GenerateOptions, randomOf, type Settled, samplingOf } from "../generator/options.ts";
import { isGreedy } from "../sampling/options.ts";
import { Sampler } from "../sampling/sampler.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { beamSearch } from "./beam-search.ts";

/** What a search through several texts at once can't do. */
export const NOT_WITH_BEAMS = [
  "stop",
  "allow",
  "logprobs",
  "promptLogprobs",
  "bestOf",
  "streamer",
  "onToken",
  "jsonSchema",
  "json",
  "regex",
  "choice",
  "grammar",
  "form",
  "guidanceScale",
  "negativePrompt",
] as const satisfies readonly (keyof GenerateOptions)[];

export interface BeamTextParts {
  readonly scheduler: Scheduler;
  readonly tokenizer: TextTokenizer;
  readonly prompt: Int32Array;
  readonly maxNewTokens: number;
  readonly ends: readonly number[];
  readonly options: Settled;
}

/** What a beam search finds, as texts, the best first. */
export async function beamTexts(parts: BeamTextParts): Promise<Completion[]> {
  const { scheduler, tokenizer, prompt, ends, options } = parts;
  const { numBeams = 1, numBeamGroups = 1, n = 1, adapter, priority, signal } = options;
  for (const name of NOT_WITH_BEAMS)
    if (asksForSomething(name, options[name]))
      throw new GenerateError("unsupported", `a beam search takes no ${name}; leave out numBeams, or that`);
  const sampling = samplingOf(options, prompt.length);
  if (!isGreedy(sampling))
    throw new GenerateError("unsupported", "a beam search draws nothing; leave out numBeams, or what asks for drawing");
  if (numBeams < 1 || numBeams % numBeamGroups !== 0)
    throw new GenerateError("option-invalid", `${numBeams} beams can't be shared between ${numBeamGroups} groups`);
  if (n > numBeams) throw new GenerateError("option-invalid", `${n} texts of ${numBeams} beams: give n up to numBeams`);
  const { vocab } = scheduler.session.limits;
  const began = performance.now();
  const most = Math.min(parts.maxNewTokens, scheduler.room - prompt.length);
  const stops = options.ignoreEos ? [] : ends;
  const found = await beamSearch(scheduler, {
    prompt,
    sampler: new Sampler(sampling, { vocab, eos: ends }),
    beams: numBeams,
    groups: numBeamGroups,
    diversityPenalty: options.diversityPenalty ?? 0,
    most,
    ends: stops,
    lengthPenalty: options.lengthPenalty ?? 1,
    earlyStopping: options.earlyStopping ?? false,
    ...(adapter === undefined ? {} : { adapter }),
    ...(priority === undefined ? {} : { priority }),
    ...(signal ? { signal } : {}),
  });
  const totalMs = performance.now() - began;
  return found.slice(0, n).map(({ answer, score }): Completion => {
    const ended = stops.includes(answer.at(-1)!);
    const said = ended ? answer.slice(0, -1) : answer;
    return {
      text: tokenizer.decode(said, { skipSpecialTokens: options.skipSpecialTokens ?? true }),
      tokens: answer,
      score,
      finishReason: ended ? "stop" : "length",
      usage: { promptTokens: prompt.length, cachedTokens: 0, completionTokens: answer.length },
      random: randomOf(options),
      timings: { firstTokenMs: totalMs, totalMs },
    };
  });
}

function asksForSomething(name: (typeof NOT_WITH_BEAMS)[number], value: unknown): boolean {
  if (value === 1 && (name === "guidanceScale" || name === "bestOf")) return false;
  if (name === "jsonSchema") return value !== undefined; // false is a schema, of nothing
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}
