import { together } from "../generator/generation.ts";
import { logSumExpOf } from "../reading/logprobs.ts";
import { followedBy, logitsAfter } from "../reading/read.ts";
import { nothingLeft, type Sampler } from "../sampling/sampler.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { type Beam, type BeamRules, Beams } from "./beams.ts";
import { GroupBeams } from "./group-beams.ts";

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
  const { prompt, beams, groups, sampler, adapter, priority, signal, ends } = request;
  const rules = { ...request, beams: beams / groups };
  const searches = groups === 1 ? [new Beams(rules)] : Array.from({ length: groups }, () => new GroupBeams(rules));
  const rest = {
    ...(adapter === undefined ? {} : { adapter }),
    ...(priority === undefined ? {} : { priority }),
    ...(signal ? { signal } : {}),
  };
  while (searches.some(({ running }) => running.length > 0)) {
    const texts = searches.flatMap(({ running }) => running.map(({ answer }) => followedBy(prompt, answer)));
    const logits = await together(texts.map((text) => () => logitsAfter(scheduler, text, rest)));
    const chosen = new Map<number, number>(); // by the groups before, in this step: how often
    const note = (id: number): unknown => chosen.set(id, (chosen.get(id) ?? 0) + 1);
    let next = 0;
    for (const search of searches) {
      if (search.running.length === 0) {
        for (let i = 0; i < rules.beams; i++) note(ends[0]!); // a group that is done is padded with the end, there
        continue;
      }
      const scores = search.running.map(() => {
        const tokens = texts[next]!;
        const row = logits[next++]!;
        const total = logSumExpOf(row);
        for (let id = 0; id < row.length; id++) row[id] = row[id]! - total;
        for (const [id, times] of chosen) row[id] = row[id]! - Math.fround(request.diversityPenalty * times);
        const history = { tokens, length: tokens.length, promptLength: prompt.length };
        return sampler.adjust(row, history).slice();
      });
      const isPossible = (row: Float32Array): boolean => row.some((score) => score > -Infinity);
      if (!scores.some(isPossible)) throw nothingLeft(logits[next - 1]!);
      for (const id of search.step(scores)) note(id);
    }
  }
  return searches.flatMap(({ finished }) => finished).sort((a, b) => b.score - a.score);
}
