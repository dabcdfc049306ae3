import { type Usage, usageOf } from "@llm/protocol";

interface StreamOptions {
  readonly include_usage?: boolean | null | undefined;
  readonly continuous_usage_stats?: boolean | null | undefined;
}

/** What a stream says of its tokens while it goes on, and whether it does at its end. */
export class StreamUsage {
  /** Whether a last piece is asked for that has nothing but usage. */
  readonly atEnd: boolean;
  /** Whether every piece says it. */
  readonly running: boolean;
  readonly #promptTokens: number;
  #said = 0;

  /** @param promptTokens asked for only where it is to be told before the end */
  constructor(options: StreamOptions | null | undefined, promptTokens: () => number) {
    this.atEnd = options?.include_usage ?? false;
    this.running = options?.continuous_usage_stats ?? false;
    this.#promptTokens = this.running ? promptTokens() : 0;
  }

  count(tokens: number): void {
    this.#said += tokens;
  }

  /** What the next piece has as its `usage`; nothing, null where a last piece has it, or what there is so far. */
  get now(): Usage | null | undefined {
    if (this.running) return usageOf(this.#promptTokens, this.#said);
    return this.atEnd ? null : undefined;
  }
}
