import { h } from "./dom.ts";
import { Speed } from "./speed.ts";

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
}

/** How fast an answer comes, while it comes and afterwards. */
export class Meter {
  readonly element: HTMLElement = h("div", { class: "meter", "aria-live": "off" });
  readonly #hint: string;
  readonly #speed = new Speed();

  constructor(hint: string) {
    this.#hint = hint;
    this.#show([]);
  }

  begin(): void {
    this.#speed.begin();
    this.#show([["", "waiting for the first token"]]);
  }

  /** A piece came, with which there are so many tokens. */
  piece(usage: Usage | undefined): void {
    this.#speed.count(usage?.completion_tokens ?? 0);
    this.#show(this.#times());
  }

  end(usage: Usage | undefined): void {
    const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
    if (this.#speed.toFirst === undefined || !usage) {
      this.#show([]);
      return;
    }
    this.#speed.count(usage.completion_tokens);
    this.#show([
      ...this.#times(),
      [`${usage.completion_tokens}`, "tokens"],
      [`${usage.prompt_tokens}`, `in the prompt${cached > 0 ? `, ${cached} from the cache` : ""}`],
    ]);
  }

  #times(): readonly (readonly [string, string])[] {
    const { toFirst = 0, rate } = this.#speed;
    const first = [`${Math.round(toFirst)} ms`, "to the first token"] as const;
    return rate === undefined ? [first] : [first, [rate >= 100 ? rate.toFixed(0) : rate.toFixed(1), "tok/s"]];
  }

  #show(parts: readonly (readonly [string, string])[]): void {
    const spans = parts.map(([value, name]) => h("span", {}, h("b", {}, value), value === "" ? name : ` ${name}`));
    this.element.replaceChildren(...spans, h("span", { class: "hint" }, this.#hint));
  }
}
