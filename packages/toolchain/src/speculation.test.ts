import { goldenDir, goldenNames, readGolden } from "@llm/fixtures";
import { randomState, type SamplingOptions, Scheduler } from "@llm/generate";
import { describe, expect, it } from "vitest";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

const SAMPLINGS: readonly SamplingOptions[] = [{}, { temperature: 0.9, topK: 20, repetitionPenalty: 1.1 }];
const NEW_TOKENS = 24;

/** An answer as somebody might predict it: every seventh token is wrong, and some are left out. */
const likely = (answer: readonly number[], vocab: number): number[] =>
  answer.flatMap((id, i) => (i % 11 === 9 ? [] : [i % 7 === 5 ? (id + 1) % vocab : id]));

describe.each(goldenNames())("%s", (name) => {
  it("says the same when its words are guessed, greedy and sampled", async () => {
    const { overrides, prompts } = readGolden(name);
    const { position, norm_head } = overrides ?? {};
    const config = position === undefined ? [] : [`position=${position}`, `norm_head=${norm_head}`];
    const runnable = await openRunnable(goldenDir(name), { env, config });
    const { limits } = runnable.session;
    let steps = 0;
    const scheduler = new Scheduler(runnable.session, { now: () => steps++ }); // every step costs the same
    try {
      for (const sampling of SAMPLINGS) {
        const request = {
          prompt: prompts[0]!.input_ids,
          maxNewTokens: Math.min(NEW_TOKENS, limits.context - prompts[0]!.input_ids.length - 1),
          sampling,
          random: randomState(7),
        };
        const plain = await scheduler.submit(request).done;
        const answer = Array.from(plain.tokens);
        const prediction = likely(answer, limits.vocab);
        const guessed = await scheduler.submit({ ...request, prediction }).done;
        expect(Array.from(guessed.tokens)).toEqual(answer);
        expect(guessed.random).toEqual(plain.random);
        if (limits.reach) expect(guessed.usage.draftTokens).toBeUndefined();
        else expect(guessed.usage.acceptedTokens).toBeGreaterThan(0);
      }
    } finally {
      await scheduler.close();
      await runnable.close();
    }
  });
});
