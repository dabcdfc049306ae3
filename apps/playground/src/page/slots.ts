import { getJson, getText } from "./api.ts";
import { problemText } from "./chat.ts";
import { h } from "./dom.ts";
import type { View } from "./view.ts";

interface Slot {
  readonly id: number;
  /** The answer's number. */
  readonly id_task: number;
  readonly is_processing: boolean;
  readonly n_ctx: number;
  readonly params?: { readonly n_predict: number; readonly temperature?: number };
  readonly next_token?: { readonly n_decoded: number };
}

const EVERY_MS = 1000;

/** What is running. */
export function slotsView({ model, left }: View): HTMLElement[] {
  const place = h("div", { class: "slots", "aria-live": "off" });
  const refresh = async (): Promise<void> => {
    try {
      const path = `/slots?model=${encodeURIComponent(model())}`;
      const [slots, metrics] = await Promise.all([getJson<readonly Slot[]>(path), getText("/metrics")]);
      place.replaceChildren(tiles(metrics), table(slots));
    } catch (error) {
      place.replaceChildren(h("div", { class: "problem", role: "alert" }, problemText(error)));
    }
    if (!left.aborted) setTimeout(() => void refresh(), EVERY_MS);
  };
  void refresh();
  return [place];
}

const SHOWN = [
  ["vllm:num_requests_running", "running"],
  ["vllm:num_requests_waiting", "waiting"],
  ["vllm:prompt_tokens_total", "tokens read"],
  ["vllm:generation_tokens_total", "tokens written"],
  ["vllm:prefix_cache_hits_total", "tokens from the cache"],
] as const;

/** Prometheus's text, summed over labels. */
function tiles(metrics: string): HTMLElement {
  const sums = new Map<string, number>();
  for (const line of metrics.split("\n")) {
    const found = /^([a-z_:]+)(?:\{[^}]*\})? ([\d.e+-]+)$/.exec(line);
    if (found) sums.set(found[1], (sums.get(found[1]) ?? 0) + Number(found[2]));
  }
  const known = SHOWN.filter(([name]) => sums.has(name));
  return h(
    "div",
    { class: "tiles" },
    ...known.map(([name, label]) =>
      h("div", { class: "tile" }, h("b", {}, sums.get(name)!.toLocaleString("en")), h("span", {}, label)),
    ),
  );
}

function table(slots: readonly Slot[]): HTMLElement {
  if (slots.length === 0) return h("p", {}, "This model isn't open: it is when somebody asks it something.");
  const head = ["Slot", "Answer", "Temperature", "Tokens", ""].map((name) => h("th", { scope: "col" }, name));
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...slots.map(row)));
}

function row({ id, id_task: task, is_processing: busy, n_ctx: room, params, next_token: next }: Slot): HTMLElement {
  const bar = h("i");
  const most = params && params.n_predict > 0 ? params.n_predict : room;
  const said = next?.n_decoded ?? 0;
  bar.style.width = `${(100 * said) / most}%`;
  return h(
    "tr",
    { class: busy ? "busy" : "idle" },
    h("td", {}, String(id)),
    h("td", {}, busy ? `#${task}` : "idle"),
    h("td", {}, params ? String(params.temperature ?? "auto") : ""),
    h("td", {}, busy ? `${said} of ${most}` : `room for ${room}`),
    h("td", {}, h("div", { class: "fill" }, bar)),
  );
}
