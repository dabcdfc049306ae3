import type { GeneratedToken } from "@llm/generate";

/** Takes a text with the tokens that made it. It may take its time. */
export type Deliver = (text: string, tokens: readonly GeneratedToken[]) => Promise<void>;

/** The time of one picture on a screen: tokens that come faster go out together, since every write costs as much as a token. */
export const PACE_MS = 16;

/**
 * Brings one answer to its reader. What a step of the engine says goes out once the next step runs, so that writing costs the
 * engine nothing where there is a second core; what comes while the reader is busy, or within `PACE_MS`, goes out in one piece.
 */
export class Delivery {
  readonly #deliver: Deliver;
  readonly #onFailure: (reason: unknown) => void;
  readonly #done = Promise.withResolvers<void>();
  #text = "";
  #tokens: GeneratedToken[] = [];
  #length = 0;
  #last = Number.NEGATIVE_INFINITY;
  #state: "idle" | "waiting" | "sending" | "over" = "idle";
  #timer: NodeJS.Timeout | undefined;
  #finished = false;

  /** @param onFailure told when the reader fails, so that no more is said to nobody */
  constructor(deliver: Deliver, onFailure: (reason: unknown) => void) {
    this.#deliver = deliver;
    this.#onFailure = onFailure;
    this.#done.promise.catch(() => {}); // `done` tells of it
  }

  /** Another token, with the text that it finished. */
  add(token: GeneratedToken, piece: string): void {
    this.#tokens.push(token);
    this.#text += piece;
    this.#length += piece.length;
    if (this.#text !== "" && this.#state === "idle") this.#arrange();
  }

  /** Nothing more comes. @param text the whole answer, whose end may have been held back until now */
  finish(text = ""): void {
    this.#finished = true;
    this.#text += text.slice(this.#length);
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#state === "idle" || this.#timer) this.#arrange();
  }

  /** Waits until what was said is with the reader. @throws what the reader threw */
  done(): Promise<void> {
    return this.#done.promise;
  }

  #arrange(): void {
    const wait = this.#finished ? 0 : this.#last + PACE_MS - performance.now();
    const send = (): void => void this.#send();
    this.#state = "waiting";
    this.#timer = wait > 0 ? setTimeout(send, wait) : undefined;
    if (!this.#timer) setImmediate(send);
  }

  async #send(): Promise<void> {
    const [text, tokens] = [this.#text, this.#tokens];
    this.#timer = undefined;
    this.#state = "sending";
    this.#text = "";
    this.#tokens = [];
    this.#last = performance.now();
    try {
      if (text !== "" || tokens.length > 0) await this.#deliver(text, tokens);
    } catch (error) {
      this.#state = "over";
      this.#onFailure(error);
      this.#done.reject(error);
      return;
    }
    if (this.#text !== "" || (this.#finished && this.#tokens.length > 0)) this.#arrange();
    else if (this.#finished) {
      this.#state = "over";
      this.#done.resolve();
    } else this.#state = "idle";
  }
}
