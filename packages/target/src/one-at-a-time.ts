import { SessionError } from "./error.ts";

/**
 * What every session promises of its calls: one at a time, none after it was closed. A call beside another is refused and
 * changes nothing.
 */
export class OneAtATime {
  #state: "open" | "busy" | "closed" = "open";

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state === "closed") throw new SessionError("closed", "this session is closed");
    if (this.#state === "busy") throw new SessionError("busy", "a step is still running; one call at a time");
    this.#state = "busy";
    try {
      return await work();
    } finally {
      this.#state = "open";
    }
  }

  /** From now on nothing is taken. False where that was so already; refused while a call runs. */
  close(): boolean {
    if (this.#state === "closed") return false;
    if (this.#state === "busy") throw new SessionError("busy", "a step is still running; close after its answer");
    this.#state = "closed";
    return true;
  }
}
