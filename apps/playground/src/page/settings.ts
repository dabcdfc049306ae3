import { apiKey } from "./api.ts";
import { byId, h } from "./dom.ts";

interface NumberField {
  readonly name: string;
  readonly label: string;
  readonly value?: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

const NUMBERS: readonly NumberField[] = [
  { name: "max_tokens", label: "Tokens at most", value: 256, min: 1, max: 100_000, step: 1 },
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.05 },
  { name: "top_p", label: "Top p", min: 0, max: 1, step: 0.01 },
  { name: "top_k", label: "Top k", min: 0, max: 1000, step: 1 },
  { name: "min_p", label: "Min p", min: 0, max: 1, step: 0.01 },
  { name: "repetition_penalty", label: "Repetition penalty", min: 0.1, max: 3, step: 0.05 },
  { name: "presence_penalty", label: "Presence penalty", min: -2, max: 2, step: 0.1 },
  { name: "frequency_penalty", label: "Frequency penalty", min: -2, max: 2, step: 0.1 },
  { name: "seed", label: "Seed", min: 0, max: 2_147_483_647, step: 1 },
];

const STORE = "llm-settings";

/** What is set beside the page: sampling, the system message, whether tokens are shown. */
export interface Settings {
  /** Fields of a request. */
  options(): Record<string, unknown>;
  readonly system: string;
  readonly showTokens: boolean;
  onShowTokens(listener: () => void, until: AbortSignal): void;
}

export function settingsPanel(): Settings {
  const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "{}") as Record<string, string>;
  const values = new Map<string, HTMLInputElement | HTMLTextAreaElement>();
  const save = (): void => {
    const all = Object.fromEntries([...values].map(([name, field]) => [name, read(field)]));
    sessionStorage.setItem(STORE, JSON.stringify(all));
  };
  const keep = <T extends HTMLInputElement | HTMLTextAreaElement>(name: string, field: T): T => {
    if (kept[name] !== undefined) {
      if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = kept[name] === "on";
      else field.value = kept[name];
    }
    field.addEventListener("change", save);
    values.set(name, field);
    return field;
  };

  const numbers = NUMBERS.map(({ name, label, value, min, max, step }) => {
    const input = keep(
      name,
      h("input", { type: "number", id: `set-${name}`, min, max, step, placeholder: "auto", value: value ?? "" }),
    );
    return h("label", { class: "field" }, h("span", {}, label), input);
  });
  const stop = keep("stop", h("input", { type: "text", id: "set-stop", placeholder: "\\n\\n" }));
  const tokens = keep("tokens", h("input", { type: "checkbox", id: "set-tokens" }));
  const system = keep("system", h("textarea", { rows: 3, id: "set-system" }));
  const key = h("input", { type: "password", id: "set-key", autocomplete: "off", value: apiKey.get() });
  key.addEventListener("change", () => {
    apiKey.set(key.value);
    location.reload();
  });
  const form = h(
    "form",
    {},
    h("label", { class: "field wide" }, h("span", {}, "API key, kept until this tab is closed"), key),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  byId<HTMLDetailsElement>("settings").append(
    h("label", { class: "field check" }, tokens, h("span", {}, "Show tokens and their odds")),
    h("h2", {}, "Sampling"),
    ...numbers,
    h("label", { class: "field wide" }, h("span", {}, "Stop at"), stop),
    h("h2", {}, "Chat"),
    h("label", { class: "field wide" }, h("span", {}, "System message"), system),
    h("h2", {}, "Server"),
    form,
  );

  return {
    options() {
      const said: Record<string, unknown> = {};
      for (const { name } of NUMBERS) {
        const field = values.get(name) as HTMLInputElement;
        if (field.value !== "" && field.validity.valid) said[name] = Number(field.value);
      }
      if (stop.value !== "") said.stop = [stop.value.replaceAll("\\n", "\n").replaceAll("\\t", "\t")];
      return said;
    },
    get system() {
      return system.value.trim();
    },
    get showTokens() {
      return tokens.checked;
    },
    // Of that alone: drawing anew when a number is left would take away the button that is being clicked.
    onShowTokens: (listener, until) => tokens.addEventListener("change", listener, { signal: until }),
  };
}

const read = (field: HTMLInputElement | HTMLTextAreaElement): string =>
  field instanceof HTMLInputElement && field.type === "checkbox" ? (field.checked ? "on" : "") : field.value;
