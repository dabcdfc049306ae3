import { goldenDir, readGolden } from "@llm/fixtures";
import { randomState, type SamplingOptions, Scheduler } from "@llm/generate";
import { describe, expect, it } from "vitest";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

/** Numbers for schedules: the same every time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SAMPLINGS: readonly SamplingOptions[] = [
  {},
  { temperature: 1 },
  { temperature: 0.7, topK: 8, repetitionPenalty: 1.2 },
];

describe.each([
  "gpt2",
  "llama_gqa_llama3",
  "llama_dynamic_ntk",
  "phi3_longrope_short",
  "gpt_bigcode_mqa",
  "mistral_swa",
])("batching a real model: %s", (name) => {
  it("gives each request the tokens it gets alone, in float32", { timeout: 120_000 }, async () => {
    const runnable = await openRunnable(goldenDir(name), { env, batchSize: 3 });
    const { vocab_size: vocab } = readGolden(name);
    const scheduler = new Scheduler(runnable.session, { promptTokensPerStep: 7 });
    const single = await openRunnable(goldenDir(name), { env, batchSize: 1 });
    const alone = new Scheduler(single.session, { reusePrefixes: false });
    for (let schedule = 0; schedule < 12; schedule++) {
      const roll = dice(schedule + 1);
      const system = Array.from({ length: 8 }, () => roll(vocab));
      const requests = Array.from({ length: 6 }, (_, i) => ({
        prompt: [...system.slice(0, roll(9)), ...Array.from({ length: 1 + roll(10) }, () => roll(vocab))],
        maxNewTokens: 1 + roll(10),
        sampling: SAMPLINGS[roll(3)]!,
        random: randomState(i),
        priority: roll(2),
      }));
      const together: Promise<number[]>[] = [];
      const join = (): void => {
        const next = requests[together.length];
        if (!next) return;
        const left = together.length;
        let heard = 0;
        together[left] = scheduler
          .submit({ ...next, onToken: () => void (heard++ === roll(3) && join()) })
          .done.then(({ tokens }) => Array.from(tokens));
      };
      for (let i = 0; i < requests.length; i++) join();
      const results = await Promise.all(together);
      for (const [i, request] of requests.entries())
        expect(results[i], `schedule ${schedule}, request ${i}`).toEqual(
          Array.from((await alone.submit(request).done).tokens),
        );
    }
    expect(scheduler.stats.cachedTokens).toBeGreaterThan(0);
    await runnable.close();
    await single.close();
  });
});
