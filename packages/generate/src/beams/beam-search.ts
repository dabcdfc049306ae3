import { together } from "../generator/generation.ts";
import { logSumExpOf } from "../reading/logprobs.ts";
import { logitsAfter } from "../reading/read.ts";
import type { Sampler } from "../sampling/sampler.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { type Beam, type BeamRules, Beams } from "./beams.ts";

export interface BeamRequest extends BeamRules {
  readonly prompt: Int32Array;
  readonly sampler: Sampler;
  /** The beams are shared between so many groups, which shun one another's tokens. */
  readonly groups: number;
  /** Taken off a token's score for each beam of the groups before that chose it in the same step. */
  readonly diversityPenalty: number;
  readonly adapter?: number;
  readonly priority?: number;
  readonly signal?: AbortSignal;
}

/**
 * The likeliest texts that a search finds which follows several at once. Each is an ordinary request of one step: what two have in
 * common is computed once and copied, by the scheduler's own means, on any device.
 */
export async function beamSearch(scheduler: Scheduler, request: BeamRequest): Promise<readonly Beam[]> {
  const { prompt, beams, groups, sampler, adapter, priority, signal } = request;
  const searches = Array.from({ length: groups }, () => new Beams({ ...request, beams: beams / groups }));
  const rest = {
    ...(adapter === undefined ? {} : { adapter }),
    ...(priority === undefined ? {} : { priority }),
    ...(signal ? { signal } : {}),
  };
  for (let length = 0; searches.some(({ running }) => running.length > 0); length++) {
    const open = searches.filter(({ running }) => running.length > 0);
    const texts = open.flatMap(({ running }) => running.map(({ answer }) => Int32Array.of(...prompt, ...answer)));
    const logits = await together(texts.map((text) => () => logitsAfter(scheduler, text, rest)));
    const chosen: number[] = []; // by the groups before, in this step
    let next = 0;
    for (const search of open) {
      const scores = search.running.map(() => {
        const tokens = texts[next]!;
        const row = logits[next++]!;
        const total = logSumExpOf(row);
        for (let id = 0; id < row.length; id++) row[id] = row[id]! - total;
        const history = { tokens, length: tokens.length, promptLength: prompt.length };
        const adjusted = sampler.adjust(row, history).slice();
        for (const id of chosen) adjusted[id]! -= request.diversityPenalty;
        return adjusted;
      });
      search.step(scores);
      for (const { answer } of search.running) if (answer.length > length) chosen.push(answer.at(-1)!);
    }
  }
  return searches.flatMap(({ finished }) => finished).sort((a, b) => b.score - a.score);
}
