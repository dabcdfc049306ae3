import { once } from "node:events";
import { createServer } from "@llm/server";
import { Generator } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { modelOptions } from "./model-options.ts";
import { openProgress } from "./open-progress.ts";

/** Requests that run at once where nothing is said; more wait. */
const SLOTS = 8;

/** `llm serve`: until it is interrupted. */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { host, port, slots } = call.options;
  const thing = call.args.model ?? "demo";
  let failed: unknown;
  const opened = new AbortController();
  const server = createServer({
    models: [
      {
        id: thing,
        open: async () => {
          try {
            return await Generator.fromPretrained(call.args.model, {
              ...modelOptions(call, io),
              ...(call.target === undefined ? {} : { target: call.target }),
              batchSize: slots ?? SLOTS,
              targetOptions: call.targetOptions,
              env: io.env,
              onEvent: openProgress(io.progress),
            });
          } catch (error) {
            failed = error;
            opened.abort();
            throw error;
          }
        },
      },
    ],
  });
  try {
    const address = await server.listen({ host: host ?? "127.0.0.1", port: port ?? 8080 });
    io.write(`${address}\n`);
    const stop = AbortSignal.any([io.signal, opened.signal]);
    if (!stop.aborted) await once(stop, "abort");
    if (failed !== undefined) throw failed;
    return { json: { address } };
  } finally {
    await server.close();
  }
}
