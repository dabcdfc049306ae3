import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, post, until } from "./testing/demo-server.ts";
import { inUse } from "./testing/in-use.ts";
import type { LoadPlan, LoadResult } from "./testing/load-clients.ts";

// The long form is `pnpm test:load`: 200 clients for five minutes.
const clients = Number(process.env.LLM_LOAD_CLIENTS ?? 40);
const seconds = Number(process.env.LLM_LOAD_SECONDS ?? 4);
const long = seconds >= 60;

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer({}, 16);
});
afterAll(() => server.app.close());

async function load(plan: LoadPlan): Promise<LoadResult> {
  const worker = new Worker(new URL("./testing/load-clients.ts", import.meta.url), { workerData: plan });
  const [result] = (await once(worker, "message")) as [LoadResult];
  await worker.terminate();
  return result;
}

/** Requests of mixed lengths, and their answers alone. */
async function casesOf(count: number): Promise<LoadPlan["cases"]> {
  const cases: { body: object; text: string }[] = [];
  for (let i = 0; i < count; i++) {
    const prompt = `${"value = compute(other)\n".repeat(i % 5)}def function_${i}(`;
    const sampled = i % 2 === 0 ? { temperature: 0 } : { temperature: 0.8, seed: i };
    const body = { model: "demo", prompt, max_tokens: 4 + ((i * 13) % 45), ignore_eos: true, ...sampled };
    const response = await post(server.address, "/v1/completions", JSON.stringify(body));
    cases.push({ body, text: ((await response.json()) as { choices: { text: string }[] }).choices[0].text });
  }
  return cases;
}

describe(`${clients} clients that stream, and a fifth of whose answers are left in the middle`, () => {
  it(
    "each get what they would get alone, and leave nothing behind",
    async () => {
      const plan = { address: server.address, clients, cases: await casesOf(24), leaving: 0.2 };
      await load({ ...plan, seconds: Math.max(1.5, seconds / 10) });
      const before = inUse();
      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      const result = await load({ ...plan, seconds });
      delay.disable();
      const grown = inUse() / before;
      const p99 = delay.percentile(99) / 1e6 - 10;
      const first = result.firstTokenMs.toSorted((a, b) => a - b);
      const figures = [
        `${result.answers} answers, ${result.left} left, ${result.wrong} wrong, ${result.failed.length} failed`,
        `memory × ${grown.toFixed(3)}, event loop late by ${p99.toFixed(1)} ms (p99)`,
        `first token after ${first[first.length >> 1].toFixed(0)} ms (median)`,
      ];
      process.stdout.write(`${figures.join("; ")}\n`);

      expect(result.failed).toEqual([]);
      expect(result.wrong).toBe(0);
      expect(result.answers).toBeGreaterThan(clients / 2);
      expect(result.left).toBeGreaterThan(0);
      await until(() => server.generator.scheduler.stats.running === 0);
      expect(server.generator.scheduler.stats.waiting).toBe(0);
      expect(grown).toBeLessThanOrEqual(1.05);
      if (long) expect(p99).toBeLessThanOrEqual(20);
    },
    (seconds * 2 + 60) * 1000,
  );
});
