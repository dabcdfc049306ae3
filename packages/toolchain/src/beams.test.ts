import { readFileSync } from "node:fs";
import { goldenDir, goldenRoot } from "@llm/fixtures";
import { beamSearch, Sampler, Scheduler } from "@llm/generate";
import { describe, expect, it } from "vitest";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

/** A search as tooling/golden/beams.py and beam_groups.py recorded it of transformers. */
interface Recorded {
  readonly model: string;
  readonly prompt: readonly number[];
  readonly eos: readonly number[];
  readonly max_new_tokens: number;
  readonly num_beams: number;
  readonly num_beam_groups?: number;
  readonly diversity_penalty?: number;
  readonly length_penalty?: number;
  readonly early_stopping?: boolean | "never";
  readonly repetition_penalty?: number;
  readonly no_repeat_ngram_size?: number;
  readonly min_new_tokens?: number;
  readonly found: readonly { readonly answer: readonly number[]; readonly score: number }[];
}

const recorded: readonly Recorded[] = ["beams.json", "beam-groups.json"].flatMap((file) =>
  JSON.parse(readFileSync(`${goldenRoot}/${file}`, "utf8")),
);
const models = [...new Set(recorded.map(({ model }) => model))];

describe.each(models)("beam search on %s", (model) => {
  // Fewer slots than beams, and as many: what doesn't fit is computed anew.
  it.each([2, 5])("finds what transformers finds, in %i slots", async (batchSize) => {
    const runnable = await openRunnable(goldenDir(model), { env, batchSize });
    const scheduler = new Scheduler(runnable.session);
    try {
      for (const one of recorded.filter((other) => other.model === model)) {
        const { repetition_penalty, no_repeat_ngram_size, min_new_tokens } = one;
        const sampler = new Sampler(
          {
            ...(repetition_penalty === undefined ? {} : { repetitionPenalty: repetition_penalty }),
            ...(no_repeat_ngram_size === undefined ? {} : { noRepeatNgramSize: no_repeat_ngram_size }),
            ...(min_new_tokens === undefined ? {} : { minNewTokens: min_new_tokens }),
          },
          { vocab: runnable.session.limits.vocab, eos: one.eos },
        );
        const found = await beamSearch(scheduler, {
          prompt: Int32Array.from(one.prompt),
          sampler,
          beams: one.num_beams,
          groups: one.num_beam_groups ?? 1,
          diversityPenalty: one.diversity_penalty ?? 0,
          most: one.max_new_tokens,
          ends: one.eos,
          lengthPenalty: one.length_penalty ?? 1,
          earlyStopping: one.early_stopping ?? false,
        });
        for (const [i, { answer, score }] of one.found.entries()) {
          expect(withoutEnd(found[i]!.answer, one.eos)).toEqual(withoutEnd(answer, one.eos));
          expect(Math.abs(found[i]!.score - score)).toBeLessThan(1e-5 * Math.max(1, Math.abs(score)));
        }
      }
    } finally {
      await scheduler.close();
      await runnable.close();
    }
  });
});

/** Which of several ends a text has, transformers' search in groups doesn't tell: it writes the first. */
function withoutEnd(answer: readonly number[], ends: readonly number[]): readonly number[] {
  return ends.includes(answer.at(-1)!) ? answer.slice(0, -1) : answer;
}
