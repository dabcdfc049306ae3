import type { Token } from "./tokens.ts";

/** What one side said. */
export interface Turn {
  readonly role: "user" | "assistant";
  text: string;
  thought: string;
  calls: string;
  tokens: Token[];
  problem?: string;
}

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/**
 * The messages that a model is sent. What was answered with nothing, because it was stopped or failed, is left out with its answer:
 * many templates refuse two messages of one side in a row, and what was refused once would be again.
 */
export function messagesOf(system: string, turns: readonly Turn[]): Message[] {
  const answered = turns.filter(({ role, text }, i) => {
    const answer = role === "assistant" ? text : turns[i + 1]?.text;
    return answer !== "";
  });
  return [
    ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
    ...answered.map(({ role, text }) => ({ role, content: text })),
  ];
}
