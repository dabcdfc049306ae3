import { goldenDir, readGolden } from "@llm/fixtures";
import { type GenerateRequest, Scheduler } from "@llm/generate";
import { describe, expect, it } from "vitest";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { env } = scratch();

// Its positions are stretched once a sequence is longer than it was trained for: here, than four tokens.
describe("phi3_longrope_long, whose positions depend on how far a sequence reaches", () => {
  const name = "phi3_longrope_long";
  const original = 4;
  const { vocab_size: vocab } = readGolden(name);
  const prompt = (length: number, first = 3) => Array.from({ length }, (_, i) => (first + 11 * i) % vocab);

  it("answers alike whether a prompt comes in pieces, answers cross the length, or have to give way", async () => {
    const limits = { targetOptions: { ctxLen: 24 } };
    const [many, single] = await Promise.all(
      [2, 1].map((batchSize) => openRunnable(goldenDir(name), { env, batchSize, ...limits })),
    );
    expect(many!.session.limits.reach).toBe(true);
    const alone = new Scheduler(single!.session, { reusePrefixes: false });
    const pieces = new Scheduler(many!.session, { promptTokensPerStep: 2 });
    const { context } = many!.session.limits;
    const lengths = [original - 1, original, original + 3, 2, original + 3, original - 1];
    const requests = lengths.map((length, i) => ({
      prompt: prompt(length, i < 4 ? 3 : 9),
      maxNewTokens: context - length,
    }));
    const tokensOf = async (scheduler: Scheduler, request: GenerateRequest) =>
      Array.from((await scheduler.submit(request).done).tokens);
    const expected: number[][] = [];
    for (const request of requests) expected.push(await tokensOf(alone, request));

    const answers = requests.slice(0, 4).map((request) => tokensOf(pieces, request));
    while (pieces.stats.steps < 5) await new Promise(setImmediate);
    // More important ones take the slots in the middle of others' answers.
    answers.push(...requests.slice(4).map((request) => tokensOf(pieces, { ...request, priority: 9 })));
    expect(await Promise.all(answers)).toEqual(expected);
    expect(pieces.stats.preemptions).toBeGreaterThan(0);
    await many!.close();
    await single!.close();
  });
});
