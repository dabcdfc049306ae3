import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { createServer, KeyRing, type ServedModel, type TlsFiles } from "@llm/server";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";
import { version } from "../version.ts";
import { checkFile } from "./given-file.ts";
import { SLOTS, servedModels } from "./served-models.ts";

/** `llm serve`: until it is interrupted. */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { options } = call;
  const { host = "127.0.0.1", port = 8080 } = options;
  const keys = await keysOf(call, io);
  if (!keys && !isLoopback(host))
    io.note(`WARNING: anybody who reaches ${host} may use this server: give it keys, with --api-key-file or --api-key`);
  let failed: unknown;
  const failing = new AbortController();
  const [model, ...beside] = await servedModels(call, io);
  const tls = await tlsOf(call);
  const server = createServer({
    models: [{ ...model, bytes: (signal) => bytesWithin(options.memoryLimit, model, signal) }, ...beside],
    onStartFailure: (problem) => {
      failed = problem;
      failing.abort();
    },
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
    const address = await server.listen({ host, port }).catch((error) => {
      throw unreachable(error, host, port);
    });
    io.write(`${address}\n`);
    io.document({ address });
    const stop = AbortSignal.any([io.signal, failing.signal]);
    if (!stop.aborted) await once(stop, "abort");
    if (failed !== undefined) throw failed;
    return {};
  } finally {
    await server.close();
  }
}

/** What a model takes of `--memory-limit`. @throws StartError where it can never fit */
async function bytesWithin(
  limit = Number.POSITIVE_INFINITY,
  { id, bytes: needed }: ServedModel,
  signal: AbortSignal,
): Promise<number> {
  const taken = (await needed?.(signal)) ?? 0;
  if (taken > limit * 1e9)
    throw new StartError(
      "memory-limit",
      `--memory-limit ${limit}: ${id} takes ${bytes(taken)}, and that leaves ${bytes(limit * 1e9)}; raise it, or choose a smaller --format or --ctx-len`,
    );
  return taken;
}

/** What can be done about an address that can't be listened at. */
const UNREACHABLE: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `--port ${port}: something else listens there on ${host}; choose another, or 0 for any`,
  EADDRNOTAVAIL: (host) => `--host ${host}: this machine doesn't have that address; 0.0.0.0 stands for all that it has`,
  ENOTFOUND: (host) => `--host ${host}: there is no such name; give an address of this machine`,
  EACCES: (_, port) => `--port ${port}: the system doesn't permit it; choose one above 1023`,
};

function unreachable(cause: NodeJS.ErrnoException, host: string, port: number): StartError {
  const { code = "listen-failed" } = cause;
  return new StartError(code, UNREACHABLE[code]?.(host, port) ?? cause.message, { cause });
}

/** Why a server can't be: a line, and a code by which it is no bug. */
class StartError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.code = code;
  }
}

async function keysOf({ options }: Call, io: Io): Promise<KeyRing | undefined> {
  const { apiKey: keys, apiKeyFile: file } = options;
  if (keys === undefined && file === undefined) return undefined;
  if (keys?.some((key) => key.trim() === "")) throw new UsageError("--api-key is empty, and would keep nobody out");
  if (file !== undefined) await checkFile("--api-key-file", file);
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
  await checkFile("--tls-cert", tlsCert);
  await checkFile("--tls-key", tlsKey);
  const [cert, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new UsageError(
      `--tls-cert ${tlsCert}, --tls-key ${tlsKey}: no certificate with the key that it was made for, as PEM (${why})`,
    );
  }
  return { cert, key };
}

/** Whether only this machine reaches an address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
