import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { createServer, KeyRing, type TlsFiles } from "@llm/server";
import type { Generator } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { version } from "../version.ts";
import { SLOTS, servedModels } from "./served-models.ts";

/** `llm serve`: until it is interrupted. */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { options } = call;
  const { host = "127.0.0.1", port = 8080 } = options;
  const keys = await keysOf(call, io);
  if (!keys && !isLoopback(host))
    io.note(`WARNING: anybody who reaches ${host} may use this server: give it keys, with --api-key-file or --api-key`);
  let failed: unknown;
  const opened = new AbortController();
  const [model, ...beside] = servedModels(call, io);
  const tls = await tlsOf(call);
  const open = (): Promise<Generator> =>
    model.open().catch((error) => {
      failed = error;
      opened.abort();
      throw error;
    });
  const server = createServer({
    models: [{ ...model, open }, ...beside],
    fingerprint: `llm-${version()}`,
    logger: { level: options.log ?? "info", stream: { write: (line: string) => io.note(line.trimEnd()) } },
    ...(options.logPrompts === undefined ? {} : { logPrompts: options.logPrompts }),
    ...(keys ? { keys } : {}),
    ...(options.cors === undefined ? {} : { cors: options.cors }),
    ...(tls ? { tls } : {}),
    ...(options.memoryLimit === undefined ? {} : { memoryBudget: options.memoryLimit * 1e9 }),
    ...(options.drain === undefined ? {} : { drainMs: options.drain * 1000 }),
    limits: {
      ...(options.queue === undefined ? {} : { answers: options.queue + (options.slots ?? SLOTS) }),
      ...(options.atOnce === undefined ? {} : { answersOfOne: options.atOnce }),
      ...(options.perMinute === undefined ? {} : { perMinute: options.perMinute }),
    },
  });
  try {
    const address = await server.listen({ host, port });
    io.write(`${address}\n`);
    const stop = AbortSignal.any([io.signal, opened.signal]);
    if (!stop.aborted) await once(stop, "abort");
    if (failed !== undefined) throw failed;
    return { json: { address } };
  } finally {
    await server.close();
  }
}

async function keysOf({ options }: Call, io: Io): Promise<KeyRing | undefined> {
  const { apiKey: keys, apiKeyFile: file } = options;
  if (keys === undefined && file === undefined) return undefined;
  return KeyRing.open({
    ...(keys ? { keys } : {}),
    ...(file === undefined ? {} : { file }),
    onProblem: (message) => io.note(`WARNING: ${message}`),
  });
}

async function tlsOf({ options: { tlsCert, tlsKey } }: Call): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError(
      "--tls-cert and --tls-key go together: a certificate and the key it was made for, both as PEM",
    );
  const [cert, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]);
  return { cert, key };
}

/** Whether only this machine reaches an address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
