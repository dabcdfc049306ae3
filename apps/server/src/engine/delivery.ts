import { setImmediate } from "node:timers/promises";
import type { GeneratedToken } from "@llm/generate";

/** Takes a text with the tokens that made it. It may take its time. */
export type Deliver = (text: string, tokens: readonly GeneratedToken[]) => Promise<void>;

/**
 * Brings one answer to its reader. What a step of the engine says goes out once the next step runs, so that writing costs the
 * engine nothing where there is a second core; what comes while the reader is busy waits, and goes out in one piece.
 */
export class Delivery {
  readonly #deliver: Deliver;
  readonly #onFailure: (reason: unknown) => void;
  #text = "";
  #tokens: GeneratedToken[] = [];
  #length = 0;
  #over = false;
  #running: Promise<void> | undefined;

  /** @param onFailure told when the reader fails, so that no more is said to nobody */
  constructor(deliver: Deliver, onFailure: (reason: unknown) => void) {
    this.#deliver = deliver;
    this.#onFailure = onFailure;
  }

  /** Another token, with the text that it finished. */
  add(token: GeneratedToken, piece: string): void {
    this.#tokens.push(token);
    if (piece !== "") this.#say(piece);
  }

  /** The answer is whole: what only its end let out goes too, and tokens that made no text. */
  finish(text: string): void {
    this.#over = true;
    this.#say(text.slice(this.#length));
  }

  /** Waits until what was said is with the reader. @throws what the reader threw */
  async done(): Promise<void> {
    await this.#running;
  }

  #say(piece: string): void {
    this.#text += piece;
    this.#length += piece.length;
    if (this.#running) return;
    this.#running = this.#run();
    this.#running.catch(this.#onFailure);
  }

  async #run(): Promise<void> {
    await setImmediate();
    while (this.#text !== "" || (this.#over && this.#tokens.length > 0)) {
      const [text, tokens] = [this.#text, this.#tokens];
      this.#text = "";
      this.#tokens = [];
      await this.#deliver(text, tokens);
    }
    this.#running = undefined;
  }
}
