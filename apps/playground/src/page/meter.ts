import { h } from "./dom.ts";

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
}

/** How fast an answer comes, while it comes and afterwards. */
export class Meter {
  readonly element: HTMLElement = h("div", { class: "meter", "aria-live": "off" });
  readonly #hint: string;
  #asked = 0;
  #first = 0;
  #pieces = 0;

  constructor(hint: string) {
    this.#hint = hint;
    this.#show([]);
  }

  begin(): void {
    this.#asked = performance.now();
    this.#first = 0;
    this.#pieces = 0;
    this.#show([["", "waiting for the first token"]]);
  }

  /** A piece came; while nobody has counted, a piece is a token. */
  piece(): void {
    this.#pieces++;
    if (this.#first === 0) this.#first = performance.now();
    if (this.#pieces > 1) this.#show([this.#firstToken(), [this.#rate(this.#pieces), "tok/s"]]);
  }

  end(usage: Usage | undefined): void {
    if (this.#first === 0) {
      this.#show([]);
      return;
    }
    const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
    this.#show([
      this.#firstToken(),
      [this.#rate(usage?.completion_tokens ?? this.#pieces), "tok/s"],
      ...(usage
        ? ([
            [`${usage.completion_tokens}`, "tokens"],
            [`${usage.prompt_tokens}`, `in the prompt${cached > 0 ? `, ${cached} from the cache` : ""}`],
          ] as const)
        : []),
    ]);
  }

  #firstToken(): readonly [string, string] {
    return [`${Math.round(this.#first - this.#asked)} ms`, "to the first token"];
  }

  #rate(tokens: number): string {
    const seconds = (performance.now() - this.#first) / 1000;
    const rate = (tokens - 1) / Math.max(seconds, 0.001);
    return rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);
  }

  #show(parts: readonly (readonly [string, string])[]): void {
    const spans = parts.map(([value, name]) => h("span", {}, h("b", {}, value), value === "" ? name : ` ${name}`));
    this.element.replaceChildren(...spans, h("span", { class: "hint" }, this.#hint));
  }
}
