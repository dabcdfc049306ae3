import { Scheduler } from "@llm/generate";
import type { Session } from "@llm/target";
import { openNull } from "@llm/target/null";
import type { Case, Measurement } from "../case.ts";

const ROWS = 64;
const TOKENS = 400;

/** A session that adds up the time spent inside it. */
function timed(): { session: Session; spent(): { ms: number; steps: number } } {
  const inner = openNull({ slots: ROWS, context: 512, vocab: 512, limits: { cacheTokens: ROWS * 512 } });
  let ms = 0;
  let steps = 0;
  const session: Session = {
    specificationVersion: 1,
    limits: inner.limits,
    async step(rows) {
      const start = performance.now();
      const results = await inner.step(rows);
      ms += performance.now() - start;
      steps++;
      return results;
    },
    trim: (slot, length) => inner.trim(slot, length),
    close: () => inner.close(),
  };
  return { session, spent: () => ({ ms, steps }) };
}

async function measure(run: (session: Session) => Promise<void>): Promise<Measurement> {
  const { session, spent } = timed();
  const start = performance.now();
  await run(session);
  const total = performance.now() - start;
  const { ms, steps } = spent();
  await session.close();
  return { overhead: (total - ms) / steps };
}

async function scheduled(session: Session): Promise<void> {
  const scheduler = new Scheduler(session);
  const requests = Array.from({ length: ROWS }, (_, i) => ({ prompt: [i, 1, 2, 3], maxNewTokens: TOKENS }));
  await Promise.all(requests.map((request) => scheduler.submit(request).done));
}

/** The least that can drive a session: what every loop has to pay. */
async function bare(session: Session): Promise<void> {
  const last = Int32Array.from({ length: ROWS }, (_, i) => i);
  for (let at = 0; at < TOKENS; at++) {
    const results = await session.step(
      Array.from(last, (_, slot) => ({
        slot,
        at,
        tokens: last.slice(slot, slot + 1),
        want: { kind: "token", last: 1, sampling: { method: "greedy" } } as const,
      })),
    );
    results.forEach(({ tokens }, slot) => void (last[slot] = tokens![0]!));
  }
}

/** What continuous batching costs besides the model. */
export const scheduler: Case = {
  name: "scheduler",
  title: `Scheduler overhead per step, ${ROWS} rows, null target`,
  metrics: [{ key: "overhead", unit: "ms", better: "lower", limit: 0.2 }],
  rounds: 5,
  baseline: "bare loop",
  sides: async () => [
    { name: "scheduler", prepare: async () => void (await measure(scheduled)), run: () => measure(scheduled) },
    { name: "bare loop", prepare: async () => void (await measure(bare)), run: () => measure(bare) },
  ],
};
