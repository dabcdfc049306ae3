import { ServerProblem, stream } from "./api.ts";
import { messagesOf, type Turn } from "./conversation.ts";
import { button, h } from "./dom.ts";
import { Meter, type Usage } from "./meter.ts";
import { saidNodes } from "./said.ts";
import { tokenSpans } from "./tokens.ts";
import type { View } from "./view.ts";

interface Chunk {
  readonly choices: readonly {
    readonly delta: {
      readonly content?: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly { readonly function: { readonly name?: string; readonly arguments?: string } }[];
    };
    readonly logprobs?: { readonly content: readonly Logprob[] } | null;
    readonly token_ids?: readonly number[];
  }[];
  readonly usage?: Usage | null;
}

interface Logprob {
  readonly token: string;
  readonly logprob: number;
  readonly top_logprobs: readonly { readonly token: string; readonly logprob: number }[];
}

const turns: Turn[] = [];

/** The conversation. */
export function chatView({ model, settings, left }: View): HTMLElement[] {
  const meter = new Meter("Enter sends · Shift+Enter breaks the line · Esc stops");
  const talk = h("div", { class: "talk", role: "log", "aria-label": "Conversation" });
  const box = h("textarea", { rows: 1, placeholder: "Say something", "aria-label": "Message" });
  let running: AbortController | undefined;
  const send = button("Send", "", () => (running ? running.abort() : void submit()));

  const fit = (): void => {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 2}px`;
  };
  const draw = (): void => {
    const pinned = talk.scrollTop + talk.clientHeight >= talk.scrollHeight - 40;
    talk.replaceChildren(...(turns.length === 0 ? [empty(model())] : turns.map(turnElement)));
    if (pinned) talk.scrollTop = talk.scrollHeight;
    send.textContent = running ? "Stop" : "Send";
  };
  const turnElement = (turn: Turn, i: number): HTMLElement => {
    const last = i === turns.length - 1;
    const body =
      settings.showTokens && turn.tokens.length > 0
        ? [h("div", { class: "tokens" }, ...tokenSpans(turn.tokens))]
        : saidNodes(turn.text);
    const busy = running !== undefined && last;
    const under =
      turn.role === "assistant" && !busy
        ? [
            button("Copy", "quiet", () => void navigator.clipboard.writeText(turn.text)),
            ...(last ? [button("Regenerate", "quiet", () => void regenerate())] : []),
          ]
        : [];
    return h(
      "article",
      { class: `turn ${turn.role}` },
      h("div", { class: "who" }, turn.role === "user" ? "You" : model()),
      h(
        "div",
        { class: busy ? "said cursor" : "said" },
        turn.thought !== "" && h("div", { class: "thought" }, turn.thought),
        ...body,
        turn.calls !== "" && h("div", { class: "call" }, h("code", {}, turn.calls)),
      ),
      turn.problem !== undefined && h("div", { class: "problem", role: "alert" }, turn.problem),
      under.length > 0 && h("div", { class: "under" }, ...under),
    );
  };

  const submit = async (): Promise<void> => {
    const text = box.value.trim();
    if (text === "" || running) return;
    box.value = "";
    fit();
    turns.push({ role: "user", text, thought: "", calls: "", tokens: [] });
    await answer();
  };
  const regenerate = async (): Promise<void> => {
    if (running || turns[turns.length - 1]?.role !== "assistant") return;
    turns.pop();
    await answer();
  };
  const answer = async (): Promise<void> => {
    running = new AbortController();
    const turn: Turn = { role: "assistant", text: "", thought: "", calls: "", tokens: [] };
    const messages = messagesOf(settings.system, turns);
    turns.push(turn);
    meter.begin();
    draw();
    talk.scrollTop = talk.scrollHeight;
    let usage: Usage | undefined;
    try {
      const body = {
        model: model(),
        messages,
        ...settings.options(),
        ...(settings.showTokens ? { logprobs: true, top_logprobs: 5, return_token_ids: true } : {}),
      };
      for await (const chunk of stream<Chunk>("/v1/chat/completions", body, running.signal)) {
        usage = chunk.usage ?? usage;
        const [choice] = chunk.choices;
        if (!choice) continue;
        take(turn, choice);
        if (choice.delta.content || choice.delta.reasoning_content || choice.delta.tool_calls) meter.piece(usage);
        draw();
      }
    } catch (error) {
      if (!running.signal.aborted) turn.problem = problemText(error);
    } finally {
      running = undefined;
      meter.end(usage);
      draw();
    }
  };

  box.addEventListener("input", fit);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void submit();
    }
    if (event.key === "Escape") running?.abort();
  });
  settings.onShowTokens(draw, left);
  // Nobody sees or stops an answer on a page that was left.
  left.addEventListener("abort", () => running?.abort());
  const clear = button("New", "second", () => {
    running?.abort();
    turns.length = 0;
    draw();
    box.focus();
  });
  draw();
  queueMicrotask(() => box.focus());
  return [talk, h("div", { class: "ask" }, h("div", {}, h("div", { class: "line" }, box, send, clear), meter.element))];
}

function take(turn: Turn, { delta, logprobs, token_ids: ids }: Chunk["choices"][number]): void {
  turn.text += delta.content ?? "";
  turn.thought += delta.reasoning_content ?? "";
  for (const { function: call } of delta.tool_calls ?? []) {
    if (call.name) turn.calls += `${turn.calls === "" ? "" : "\n"}${call.name} `;
    turn.calls += call.arguments ?? "";
  }
  for (const [i, { token, logprob, top_logprobs: others }] of (logprobs?.content ?? []).entries()) {
    turn.tokens.push({
      id: ids![i],
      text: token,
      logprob,
      others: others.map((other) => ({ text: other.token, logprob: other.logprob })),
    });
  }
}

/** A failure in words. */
export function problemText(error: unknown): string {
  if (error instanceof ServerProblem) return error.message;
  return "The server can't be reached";
}

const empty = (model: string): HTMLElement =>
  h(
    "div",
    { class: "empty" },
    h("h1", {}, `Talk to ${model}`),
    "Whatever you say stays between this page and your server.",
  );
