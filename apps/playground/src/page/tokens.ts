import { h } from "./dom.ts";

/** A token of an answer, with what else might have come. */
export interface Token {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
  readonly others: readonly { readonly text: string; readonly logprob: number }[];
}

/** Tokens as text, each the redder the less likely it was, with its alternatives on hover or focus. */
export function tokenSpans(tokens: readonly Token[]): HTMLElement[] {
  hideAlternatives(); // of a token that these take the place of
  return tokens.map((token) => {
    const span = h("span", { class: "token", tabindex: 0 }, token.text);
    // From certain to one in e⁵: beyond that all are surprises.
    span.style.setProperty("--doubt", String(Math.min(1, -token.logprob / 5)));
    const show = (): void => showAlternatives(span, token);
    for (const begin of ["mouseenter", "focus"]) span.addEventListener(begin, show);
    for (const end of ["mouseleave", "blur"]) span.addEventListener(end, hideAlternatives);
    return span;
  });
}

function showAlternatives(at: HTMLElement, { id, text, logprob, others }: Token): void {
  hideAlternatives();
  const known = others.some((other) => other.text === text) ? others : [{ text, logprob }, ...others];
  const all = known.toSorted((a, b) => b.logprob - a.logprob);
  const rows = all.map((each) =>
    h(
      "tr",
      { class: each.text === text ? "taken" : undefined },
      h("td", {}, visible(each.text)),
      h("td", {}, percent(each.logprob)),
    ),
  );
  const box = h(
    "div",
    { id: "alternatives", role: "tooltip" },
    h("div", { class: "id" }, `token ${id} · ln p = ${logprob.toFixed(3)}`),
    h("table", {}, ...rows),
  );
  document.body.append(box);
  const place = at.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = place.bottom + height + 10 < innerHeight;
  box.style.left = `${Math.max(6, Math.min(place.left, innerWidth - width - 6))}px`;
  box.style.top = `${below ? place.bottom + 6 : place.top - height - 6}px`;
}

export function hideAlternatives(): void {
  document.getElementById("alternatives")?.remove();
}

const visible = (text: string): string => text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·") || "∅";

function percent(logprob: number): string {
  const share = Math.exp(logprob) * 100;
  return share >= 0.1 ? `${share.toFixed(1)} %` : "< 0.1 %";
}
