import { setTimeout as sleep } from "node:timers/promises";
import { CheckpointError } from "../error.ts";
import type { HubSettings } from "./settings.ts";

/** How patient to be; tests are less so. */
export interface Patience {
  /** Tries without any progress before giving up. */
  readonly attempts: number;
  /** Wait before the second try; doubled for each further one. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** A server may ask for more (`Retry-After`), up to this: hubs' rate limits are counted in windows of five minutes. */
  readonly longestRetryAfterMs: number;
  /** Without a byte for this long, a connection counts as broken. */
  readonly stallMs: number;
}

export const PATIENCE: Patience = {
  attempts: 6,
  firstDelayMs: 1000,
  longestDelayMs: 30_000,
  longestRetryAfterMs: 5 * 60_000,
  stallMs: 30_000,
};

/** Browsers stop at 20; the hub needs two. */
const MAX_REDIRECTS = 10;

/** Without a network there is nothing to wait for: where nobody answers at all, a few tries are enough. */
const UNREACHABLE_ATTEMPTS = 3;

/** Something that may be better on the next try. */
export class Transient extends Error {
  readonly retryAfterMs: number | undefined;
  readonly unreachable: boolean;

  constructor(message: string, retryAfterMs?: number, unreachable = false) {
    super(message);
    this.retryAfterMs = retryAfterMs;
    this.unreachable = unreachable;
  }
}

export interface HubRequest {
  readonly settings: HubSettings;
  readonly patience: Patience;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose body is read under a watch for stalls. */
export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Headers of the first answer: what a redirect leads to has its own, and the hub's facts are on the first. */
  readonly first: Headers;
  body(): AsyncIterable<Uint8Array>;
  /** Drops a body that nobody wants. */
  discard(): Promise<void>;
}

/**
 * One request, redirects followed. The token goes to the hub's own origin only: a redirect to another host, port or scheme doesn't
 * take it along. Throws `Transient` for what a later try may cure.
 */
export async function request(
  { settings, patience, signal }: HubRequest,
  method: "GET" | "HEAD",
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<HubResponse> {
  const watch = new StallWatch(patience.stallMs, signal);
  let target = url;
  let first: Headers | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const own = new URL(target).origin === new URL(settings.endpoint).origin;
    const authorization = own && settings.token !== undefined ? { authorization: `Bearer ${settings.token}` } : {};
    let response: Response;
    try {
      response = await watch.run(
        settings.fetch(target, {
          method,
          headers: { ...headers, ...authorization, "accept-encoding": "identity", "user-agent": "llm-toolchain" },
          redirect: "manual",
          signal: watch.signal,
        }),
      );
    } catch (error) {
      throw watch.explain(error, new URL(target).host);
    }
    first ??= response.headers;
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      if (response.status === 429 || response.status >= 500) {
        await response.body?.cancel().catch(() => {});
        throw new Transient(`${new URL(target).host} answers ${response.status}`, retryAfter(response.headers));
      }
      return hubResponse(response, first, watch, new URL(target).host);
    }
    await response.body?.cancel().catch(() => {});
    if (!URL.canParse(location, target)) throw new Transient(`${new URL(target).host} redirects to nowhere`);
    const next = new URL(location, target);
    if (next.protocol !== "http:" && next.protocol !== "https:")
      throw new CheckpointError(
        "hub-failed",
        `${new URL(target).host} redirects to ${next.protocol}, which is not fetched`,
      );
    target = next.href;
  }
  throw new CheckpointError("hub-failed", `${new URL(url).host} redirects more than ${MAX_REDIRECTS} times`);
}

function hubResponse(response: Response, first: Headers, watch: StallWatch, host: string): HubResponse {
  return {
    status: response.status,
    headers: response.headers,
    first,
    async *body() {
      if (!response.body) return;
      const reader = response.body.getReader();
      try {
        for (;;) {
          const { done, value } = await watch.run(reader.read());
          if (done) return;
          yield value;
        }
      } catch (error) {
        throw watch.explain(error, host);
      } finally {
        // Stops the transfer when the reader leaves early; after a clean end it does nothing.
        await reader.cancel().catch(() => {});
      }
    },
    discard: async () => response.body?.cancel().catch(() => {}),
  };
}

/** Runs `work` until it succeeds, fails for good, or has failed transiently too often without getting any further. */
export async function withRetries<T>(
  { patience, signal }: HubRequest,
  what: string,
  work: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0;
  let reached = progress();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      failures = progress() > reached ? 1 : failures + 1;
      // The furthest of all tries: a server that starts anew each time and stops here and there gets no further.
      reached = Math.max(reached, progress());
      const attempts = error.unreachable && reached === 0 ? UNREACHABLE_ATTEMPTS : patience.attempts;
      if (failures >= Math.min(attempts, patience.attempts))
        throw new CheckpointError("hub-failed", `${what}: ${error.message}, after ${failures} tries`, { cause: error });
      const delay = Math.min(patience.firstDelayMs * 2 ** (failures - 1), patience.longestDelayMs);
      const asked = Math.min(error.retryAfterMs ?? 0, patience.longestRetryAfterMs);
      await sleep(Math.max(delay, asked), undefined, signal ? { signal } : {});
    }
  }
}

/** `Retry-After`: seconds or a date. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** A stall is counted in parts: a pause of this process, or of the machine, is one of them at most, and what came meanwhile is read first. */
const STALL_PARTS = 8;

/** Aborts a transfer that has stood still for too long, and knows afterwards who aborted it. */
class StallWatch {
  readonly signal: AbortSignal;
  readonly #stallMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #controller = new AbortController();
  #stalled = false;

  constructor(stallMs: number, outer: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.#outer = outer;
    this.signal = outer ? AbortSignal.any([outer, this.#controller.signal]) : this.#controller.signal;
  }

  async run<T>(promise: Promise<T>): Promise<T> {
    let left = STALL_PARTS;
    const timer = setInterval(() => {
      if (--left > 0) return;
      this.#stalled = true;
      this.#controller.abort();
    }, this.#stallMs / STALL_PARTS);
    try {
      return await promise;
    } finally {
      clearInterval(timer);
    }
  }

  explain(error: unknown, host: string): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    if (CheckpointError.isInstance(error) || error instanceof Transient) return error;
    if (this.#stalled) return new Transient(`${host} sent nothing for ${this.#stallMs / 1000} s`);
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    if (cause?.code !== undefined && PERMANENT.test(cause.code))
      return new CheckpointError(
        "hub-failed",
        `${host}: ${cause.message ?? cause.code}; for a private certificate authority, set NODE_EXTRA_CA_CERTS`,
        { cause: error },
      );
    const why = cause?.code ?? cause?.message ?? (error as Error).message;
    if (UNREACHABLE.test(why)) return new Transient(`${host} can't be reached (${why})`, undefined, true);
    return new Transient(`the connection to ${host} broke (${why})`);
  }
}

/** Certificates that don't hold now won't hold in a second. */
const PERMANENT = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS/;

const UNREACHABLE = /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH)$/;
