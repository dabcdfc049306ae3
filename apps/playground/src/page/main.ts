import { getJson, ServerProblem } from "./api.ts";
import { chatView, problemText } from "./chat.ts";
import { completeView, infillView } from "./complete.ts";
import { byId, h } from "./dom.ts";
import { settingsPanel } from "./settings.ts";
import { slotsView } from "./slots.ts";
import { themeSwitch } from "./theme.ts";
import { hideAlternatives } from "./tokens.ts";
import type { View } from "./view.ts";

const PAGES: Readonly<Record<string, (view: View) => HTMLElement[]>> = {
  "#chat": chatView,
  "#complete": completeView,
  "#infill": infillView,
  "#slots": slotsView,
};

interface Model {
  readonly id: string;
  readonly chat_template?: string;
}

themeSwitch();
const settings = settingsPanel();
foldOnPhones();
const models = byId<HTMLSelectElement>("model");
const page = byId("page");
let leaving = new AbortController();
let known: readonly Model[] = [];

const show = (): void => {
  leaving.abort();
  leaving = new AbortController();
  hideAlternatives();
  const here = PAGES[location.hash] ? location.hash : "#chat";
  for (const link of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
    if (link.getAttribute("href") === here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  page.replaceChildren(...notes(here), ...PAGES[here]({ model: () => models.value, settings, left: leaving.signal }));
};

/** Settings stand beside the page where there is room, and are folded away above it where there is little. */
function foldOnPhones(): void {
  const narrow = matchMedia("(max-width: 760px)");
  const fold = (): void => {
    byId<HTMLDetailsElement>("settings").open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);
  fold();
}

/** What must be known before a page is of use. */
function notes(here: string): HTMLElement[] {
  const model = known.find(({ id }) => id === models.value);
  if (here !== "#chat" || model?.chat_template !== "plain") return [];
  return [
    h(
      "div",
      { class: "note" },
      `${model.id} has no chat template of its own, so it hardly knows what a conversation is. Complete suits it better.`,
    ),
  ];
}

try {
  known = (await getJson<{ data: readonly Model[] }>("/v1/models")).data;
  models.replaceChildren(...known.map(({ id }) => h("option", { value: id }, id)));
  models.addEventListener("change", show);
  addEventListener("hashchange", show);
  show();
} catch (error) {
  const key = error instanceof ServerProblem && error.status === 401;
  byId<HTMLDetailsElement>("settings").open = true;
  page.replaceChildren(
    h(
      "div",
      { class: "empty" },
      h("h1", {}, key ? "This server wants an API key" : "No answer"),
      key ? "Put yours under Settings." : problemText(error),
    ),
  );
}
