import type { AddressInfo } from "node:net";
import { Generator } from "@llm/toolchain";
import type { FastifyInstance } from "fastify";
import { createServer, type ServerOptions } from "../server.ts";

export interface DemoServer {
  readonly app: FastifyInstance;
  readonly address: string;
  readonly port: number;
  readonly generator: Generator;
}

/** The demo, or what is in another folder, behind a server that listens, opened already. */
export async function demoServer(
  options: Partial<ServerOptions> = {},
  slots = 4,
  targetOptions: Readonly<Record<string, unknown>> = {},
  folder = "demo",
): Promise<DemoServer> {
  const generator = await Generator.fromPretrained(folder, { batchSize: slots, targetOptions });
  const app = createServer({ models: [{ id: "demo", open: async () => generator }], ...options });
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, address, port: (app.server.address() as AddressInfo).port, generator };
}

/** A body of the demo's completions that goes on until it is stopped. */
export const endless = (more: object = {}): string =>
  JSON.stringify({ model: "demo", prompt: "def f(", max_tokens: 400, ignore_eos: true, ...more });

export const post = (address: string, path: string, body: string, init: RequestInit = {}): Promise<Response> =>
  fetch(address + path, {
    method: "POST",
    body,
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });

/**
 * Lets the model take `after` more steps and then waits, until what this gives is called: what is under way stays so, however
 * fast the machine is.
 */
export function holdSteps({ scheduler: { session } }: Generator, after = 0): () => void {
  const step = session.step.bind(session);
  const released = Promise.withResolvers<void>();
  let left = after;
  session.step = async (rows) => {
    if (left-- <= 0) await released.promise;
    return step(rows);
  };
  return () => {
    session.step = step;
    released.resolve();
  };
}

/** Waits until nothing runs any more, and tells how many steps that took. */
export async function stepsUntilIdle({ scheduler }: Generator): Promise<number> {
  const before = scheduler.stats.steps;
  await until(() => scheduler.stats.running === 0);
  return scheduler.stats.steps - before;
}

/** Waits until something is so, or fails after a while. */
export async function until(is: () => boolean, ms = 20_000): Promise<void> {
  const late = Date.now() + ms;
  while (!is()) {
    if (Date.now() > late) throw new Error(`not so after ${ms} ms: ${is}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
