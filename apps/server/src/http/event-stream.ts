import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { DONE, event, KEEP_ALIVE } from "@llm/protocol";

/** Proxies close what is silent for half a minute; a long prompt may take longer. */
const KEEP_ALIVE_MS = 10_000;

/** A stream of events to one client, no faster than it reads. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #timer: NodeJS.Timeout;

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      connection: "keep-alive",
      "x-accel-buffering": "no",
      ...headers,
    });
    this.#timer = setInterval(() => response.write(KEEP_ALIVE), KEEP_ALIVE_MS);
    this.#timer.unref();
  }

  /** Sends one event, and waits while the client has enough to read. */
  async send(data: unknown, name?: string): Promise<void> {
    if (this.#response.destroyed) return;
    this.#timer.refresh();
    if (!this.#response.write(event(data, name)))
      await Promise.race([once(this.#response, "drain"), once(this.#response, "close")]);
  }

  /** Ends it, as OpenAI's streams end or without a word. */
  end(done = true): void {
    clearInterval(this.#timer);
    if (this.#response.destroyed) return;
    if (done) this.#response.write(DONE);
    this.#response.end();
  }
}
