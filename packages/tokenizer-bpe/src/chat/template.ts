import { printable, TokenizerError } from "../error.ts";
import type { SpecialTokens } from "../special-tokens.ts";
import { Refusal, renderJinja } from "./jinja.ts";

/** One turn of a conversation. Templates may read more than these: tool calls, images, reasoning. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [key: string]: unknown;
}

export interface ChatOptions {
  /** Functions the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[];
  /** Texts the answer should rest on, for templates that know them. */
  readonly documents?: readonly unknown[];
  /** End with what begins the assistant's turn. */
  readonly addGenerationPrompt?: boolean;
  /** Leave the last message open, so that the model goes on with it. */
  readonly continueFinalMessage?: boolean;
  /** Which of several templates; the checkpoint's `default` unless said, or its `tool_use` when there are tools. */
  readonly templateName?: string;
  /** A template to use instead of the checkpoint's. */
  readonly template?: string;
  /** Further variables of the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time for templates that write today's date. */
  readonly now?: Date;
}

/** What is known of the template that conversations are written by. */
export interface ChatTemplateInfo {
  readonly name: string;
  readonly origin: TemplateOrigin;
  /** Texts that end an answer because the next turn would begin with them; none where a token ends it. */
  readonly stops: readonly string[];
}

/** Where a checkpoint's template comes from: its own files, its family's habit, or nowhere. */
export type TemplateOrigin = "checkpoint" | "family" | "plain";

export interface ChatTemplates {
  /** The checkpoint's own, by name. */
  readonly templates: ReadonlyMap<string, string>;
  /** Used when the checkpoint has none. */
  readonly fallback: ChatTemplateInfo & { readonly template: string };
}

export function renderChat(
  chat: ChatTemplates,
  special: SpecialTokens,
  messages: readonly ChatMessage[],
  options: ChatOptions,
): string {
  const { addGenerationPrompt = false, continueFinalMessage = false } = options;
  if (addGenerationPrompt && continueFinalMessage)
    throw new TokenizerError("option-invalid", "addGenerationPrompt and continueFinalMessage contradict each other");
  const template = options.template ?? chooseTemplate(chat, options);
  const variables = {
    ...special.named,
    messages: continueFinalMessage ? marked(messages) : messages,
    tools: options.tools ?? null,
    documents: options.documents ?? null,
    add_generation_prompt: addGenerationPrompt,
    ...options.variables,
  };
  const text = render(template, variables, options.now ?? new Date(), messages);
  return continueFinalMessage ? cutAtMark(text) : text;
}

function chooseTemplate({ templates, fallback }: ChatTemplates, options: ChatOptions): string {
  const { templateName, tools } = options;
  if (templateName !== undefined) {
    const named = templates.get(templateName);
    if (named !== undefined) return named;
    const known = [...templates.keys()].map(printable).join(", ");
    throw new TokenizerError(
      "template-missing",
      `no chat template ${printable(templateName)}; there ${known === "" ? "are none" : `are ${known}`}`,
    );
  }
  if (templates.size === 0) return fallback.template;
  const chosen = (tools !== undefined ? templates.get("tool_use") : undefined) ?? templates.get("default");
  if (chosen !== undefined) return chosen;
  const known = [...templates.keys()].map(printable).join(", ");
  throw new TokenizerError("template-missing", `no default chat template: choose one of ${known}`);
}

function render(
  template: string,
  variables: Readonly<Record<string, unknown>>,
  now: Date,
  messages: readonly ChatMessage[],
): string {
  try {
    return renderJinja(template, variables, now);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
    const says =
      error instanceof Refusal
        ? `refuses this conversation: ${reason}`
        : `can't be rendered: ${reason}${lacking(messages)}`;
    throw new TokenizerError("template-failed", `the chat template ${says}`, { cause: error });
  }
}

/** What templates stumble over the most, and don't name. */
function lacking(messages: readonly ChatMessage[]): string {
  for (const [i, message] of messages.entries())
    for (const field of ["role", "content"])
      if ((message?.[field] ?? null) === null && !(field === "content" && message?.tool_calls))
        return `; message ${i + 1} of ${messages.length} has no ${field}`;
  return "";
}

/** Stands behind the last message's text, so that its end is found whatever the text is. No text has it; templates keep it. */
const MARK = "\u{E000}end\u{E000}";

/** The messages, with the mark behind the last one's text, and a space behind that: whether it is kept, says the template. */
function marked(messages: readonly ChatMessage[]): ChatMessage[] {
  const { content, ...last } = messages.at(-1) ?? { role: "" };
  const before = messages.slice(0, -1);
  if (typeof content === "string") return [...before, { ...last, content: `${content}${MARK} ` }];
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  const at = parts.findLastIndex((part) => typeof (part as { text?: unknown } | null)?.text === "string");
  if (at < 0) throw new TokenizerError("option-invalid", "continueFinalMessage needs a last message with text");
  const part = parts[at] as { readonly text: string };
  return [...before, { ...last, content: parts.with(at, { ...part, text: `${part.text}${MARK} ` }) }];
}

/** Cuts what the template wrote after the last message's text. Where it trims texts, this one's end is trimmed too. */
function cutAtMark(text: string): string {
  const at = text.lastIndexOf(MARK);
  if (at < 0)
    throw new TokenizerError(
      "template-failed",
      "the chat template left the last message out, so it can't be continued",
    );
  const kept = text.slice(0, at);
  return text.startsWith(" ", at + MARK.length) ? kept : kept.trimEnd();
}
