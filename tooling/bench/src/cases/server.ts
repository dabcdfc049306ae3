import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createServer } from "@llm/server";
import { Generator } from "@llm/toolchain";
import type { Case, Measurement } from "../case.ts";

const STREAMS = 16;
const NEW_TOKENS = 96;

const promptsOf = (): string[] =>
  Array.from({ length: STREAMS }, (_, i) => `# file ${i} of ${performance.now()}\ndef main(`);

/** Tokens per second of so many texts that are read as they come, without a server. */
async function alone(generator: Generator): Promise<Measurement> {
  const start = performance.now();
  await Promise.all(
    promptsOf().map(async (prompt) => {
      for await (const _ of generator.stream(prompt, { maxNewTokens: NEW_TOKENS, ignoreEos: true, greedy: true }));
    }),
  );
  return { rate: (STREAMS * NEW_TOKENS * 1000) / (performance.now() - start) };
}

/** The same over HTTP, read by clients on a thread of their own. */
async function served(clients: Worker): Promise<Measurement> {
  const bodies = promptsOf().map((prompt) =>
    JSON.stringify({ model: "demo", prompt, max_tokens: NEW_TOKENS, ignore_eos: true, temperature: 0, stream: true }),
  );
  const start = performance.now();
  clients.postMessage(bodies);
  await once(clients, "message");
  return { rate: (STREAMS * NEW_TOKENS * 1000) / (performance.now() - start) };
}

/** What the server takes of the engine's speed. */
export const server: Case = {
  name: "server",
  title: `${STREAMS} streams over HTTP against the engine alone, bundled checkpoint`,
  metrics: [{ key: "rate", unit: "tokens/s", better: "higher", bar: 0.95 }],
  rounds: 9,
  baseline: "engine alone",
  sides: async () => {
    const generator = await Generator.fromPretrained("demo", { batchSize: STREAMS });
    const app = createServer({ models: [{ id: "demo", open: async () => generator }] });
    const address = await app.listen({ host: "127.0.0.1", port: 0 });
    const clients = new Worker(new URL("./server-clients.ts", import.meta.url), { workerData: address });
    return [
      {
        name: "over HTTP",
        prepare: async () => void (await served(clients)),
        run: () => served(clients),
        close: async () => {
          await clients.terminate();
          await app.close();
        },
      },
      { name: "engine alone", prepare: async () => void (await alone(generator)), run: () => alone(generator) },
    ];
  },
};
