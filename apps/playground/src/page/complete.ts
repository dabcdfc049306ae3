import { stream } from "./api.ts";
import { problemText } from "./chat.ts";
import { button, h } from "./dom.ts";
import { Meter, type Usage } from "./meter.ts";
import { type Token, tokenSpans } from "./tokens.ts";
import type { View } from "./view.ts";

interface Chunk {
  readonly choices: readonly {
    readonly text: string;
    readonly logprobs?: {
      readonly tokens: readonly string[];
      readonly token_logprobs: readonly (number | null)[];
      readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
    } | null;
    readonly token_ids?: readonly number[];
  }[];
  readonly usage?: Usage | null;
}

const kept = { complete: "def fibonacci(n):\n", infill: "def add(a, b):\n    return \n\nprint(add(2, 3))\n" };

/** A text to go on with. */
export const completeView = (view: View): HTMLElement[] => editorView(view, "complete");

/** A text with a gap at the cursor. */
export const infillView = (view: View): HTMLElement[] => editorView(view, "infill");

function editorView({ model, settings, left }: View, kind: "complete" | "infill"): HTMLElement[] {
  const infill = kind === "infill";
  const meter = new Meter(infill ? "Ctrl+Enter fills in at the cursor · Esc stops" : "Ctrl+Enter goes on · Esc stops");
  const label = infill ? "Code with a gap where the cursor is" : "Text to go on with";
  const text = h("textarea", { class: "code", spellcheck: "false", "aria-label": label });
  text.value = kept[kind];
  const shown = h("div", { class: "tokens", "aria-label": "Tokens of the last answer" });
  const problem = h("div", { role: "alert" });
  let running: AbortController | undefined;
  let before: { value: string; at: number } | undefined;

  const go = button(infill ? "Fill in" : "Go on", "", () => (running ? running.abort() : void run()));
  const undo = button("Undo", "second", () => {
    if (!before) return;
    text.value = kept[kind] = before.value;
    text.setSelectionRange(before.at, before.at);
    before = undefined;
    state();
    text.focus();
  });
  const again = button("Regenerate", "second", () => {
    undo.click();
    void run();
  });
  const state = (): void => {
    go.textContent = running ? "Stop" : infill ? "Fill in" : "Go on";
    undo.disabled = again.disabled = before === undefined || running !== undefined;
    text.readOnly = running !== undefined;
  };

  const run = async (): Promise<void> => {
    if (running) return;
    running = new AbortController();
    const at = infill ? text.selectionStart : text.value.length;
    const [prefix, suffix] = [text.value.slice(0, at), text.value.slice(infill ? text.selectionEnd : at)];
    before = { value: text.value, at };
    problem.replaceChildren();
    shown.hidden = true;
    meter.begin();
    state();
    let said = "";
    const tokens: Token[] = [];
    let usage: Usage | undefined;
    try {
      const body = {
        model: model(),
        prompt: prefix,
        ...(infill ? { suffix } : {}),
        ...settings.options(),
        ...(settings.showTokens ? { logprobs: 5, return_token_ids: true } : {}),
      };
      for await (const chunk of stream<Chunk>("/v1/completions", body, running.signal)) {
        usage = chunk.usage ?? usage;
        const [choice] = chunk.choices;
        if (!choice) continue;
        said += choice.text;
        tokens.push(...tokensOf(choice));
        if (choice.text !== "") meter.piece(usage);
        text.value = kept[kind] = prefix + said + suffix;
        if (!infill) text.scrollTop = text.scrollHeight;
      }
    } catch (error) {
      if (!running.signal.aborted) problem.replaceChildren(h("div", { class: "problem" }, problemText(error)));
    } finally {
      running = undefined;
      meter.end(usage);
      if (said === "") before = undefined;
      state();
      // What was filled in is selected: seen at a glance, and typed over if it won't do.
      text.focus();
      text.setSelectionRange(infill ? prefix.length : prefix.length + said.length, prefix.length + said.length);
      shown.hidden = tokens.length === 0;
      shown.replaceChildren(...tokenSpans(tokens));
    }
  };

  text.addEventListener("input", () => {
    kept[kind] = text.value;
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void run();
    }
    if (event.key === "Escape") running?.abort();
  });
  left.addEventListener("abort", () => running?.abort());
  shown.hidden = true;
  state();
  queueMicrotask(() => {
    text.focus();
    const at = infill ? text.value.indexOf("return ") + "return ".length : text.value.length;
    text.setSelectionRange(at, at);
  });
  const bar = h("div", { class: "bar" }, go, again, undo);
  return [h("div", { class: "editor" }, h("div", { class: "paper" }, text, shown), problem, bar, meter.element)];
}

function tokensOf({ logprobs, token_ids: ids }: Chunk["choices"][number]): Token[] {
  if (!logprobs) return [];
  return logprobs.tokens.map((text, i) => ({
    id: ids![i],
    text,
    logprob: logprobs.token_logprobs[i] ?? 0,
    others: Object.entries(logprobs.top_logprobs[i] ?? {}).map(([other, logprob]) => ({ text: other, logprob })),
  }));
}
