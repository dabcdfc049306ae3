import { getJson, getText } from "./api.ts";
import { problemText } from "./chat.ts";
import { h } from "./dom.ts";
import type { View } from "./view.ts";

interface Slot {
  readonly id: number;
  readonly is_processing: boolean;
  readonly n_ctx?: number;
  readonly n_past?: number;
  readonly model?: string;
}

const EVERY_MS = 1000;

/** What is running. */
export function slotsView({ left }: View): HTMLElement[] {
  const place = h("div", { class: "slots", "aria-live": "off" });
  const refresh = async (): Promise<void> => {
    try {
      const [slots, metrics] = await Promise.all([getJson<readonly Slot[]>("/slots"), getText("/metrics")]);
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
  const head = ["Slot", "Model", "", "Held", ""].map((name) => h("th", { scope: "col" }, name));
  const rows = slots.map(({ id, model, is_processing: busy, n_ctx: room = 0, n_past: held = 0 }) => {
    const bar = h("i");
    bar.style.width = `${room > 0 ? (100 * held) / room : 0}%`;
    return h(
      "tr",
      {},
      h("td", {}, String(id)),
      h("td", {}, model ?? ""),
      h("td", {}, busy ? "running" : "idle"),
      h("td", {}, room > 0 ? `${held} of ${room}` : `${held}`),
      h("td", {}, h("div", { class: "fill" }, bar)),
    );
  });
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}
