import type { ServerResponse } from "node:http";
import { DONE, event, KEEP_ALIVE } from "@llm/protocol";
import type { FastifyReply } from "fastify";

/** Proxies close what is silent for half a minute; a long prompt may take longer. */
const KEEP_ALIVE_MS = 10_000;

/** A reader that takes nothing for so long is gone, whatever its connection says: it holds memory and a place in the queue. */
const STALLED_MS = 120_000;

/**
 * A stream of events to one client, no faster than it reads. It begins with the first event, so that what is wrong with a
 * request before that is still answered with a status of its own.
 */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #response: ServerResponse;
  readonly #timer: NodeJS.Timeout;
  #drained: Promise<void> | undefined;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    this.#response = reply.raw;
    this.#timer = setInterval(() => this.#keepAlive(), KEEP_ALIVE_MS);
    this.#timer.unref();
    reply.raw.once("close", () => clearInterval(this.#timer));
  }

  /** Whether anything went out. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Sends one event, and waits while the client has enough to read. */
  send(data: unknown, name?: string): Promise<void> {
    return this.write(event(data, name));
  }

  /** The same of events that are written already. */
  async write(events: string): Promise<void> {
    if (this.#response.destroyed) return;
    this.#begin();
    this.#timer.refresh();
    if (!this.#response.write(events)) await (this.#drained ??= this.#drain());
  }

  /** Ends it, as OpenAI's streams end or without a word. */
  end(done = true): void {
    this.cancel();
    if (this.#response.destroyed) return;
    this.#begin();
    if (done) this.#response.write(DONE);
    this.#response.end();
  }

  /** Ends it before it began: the answer is another. */
  cancel(): void {
    clearInterval(this.#timer);
  }

  #begin(): void {
    if (this.begun) return;
    // Headers that were set on the way here, such as those for other sites' pages, belong to this answer too.
    const headers = this.#reply.getHeaders() as Record<string, string>;
    this.#reply.hijack();
    this.#response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
  }

  /** A long prompt says nothing for a while. What isn't read needs no comment either. */
  #keepAlive(): void {
    if (this.#response.destroyed || this.#response.writableNeedDrain) return;
    this.#begin();
    this.#response.write(KEEP_ALIVE);
  }

  /** Several answers may wait for the same reader: they wait for one promise, and listen once. */
  #drain(): Promise<void> {
    const response = this.#response;
    return new Promise((resolve) => {
      const stalled = setTimeout(() => response.destroy(), STALLED_MS);
      const go = (): void => {
        clearTimeout(stalled);
        response.off("drain", go).off("close", go);
        this.#drained = undefined;
        resolve();
      };
      response.on("drain", go).on("close", go);
    });
  }
}
