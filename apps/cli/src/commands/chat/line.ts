import { suggest } from "../../parse/suggest.ts";

/** What may be typed instead of something to say. */
const COMMANDS = {
  "/clear": "forget what was said",
  "/exit": "end the conversation, as Ctrl-D does",
  "/help": "say what may be typed",
} as const;

export type LineCommand = keyof typeof COMMANDS;

export const HELP: string = [
  ...Object.entries(COMMANDS).map(([name, doc]) => `${name.padEnd(8)} ${doc}`),
  "Ctrl-C   stop an answer; at the prompt, throw the line away; twice, end the conversation",
].join("\n");

/** A line of a conversation: nothing, a command, what was probably meant to be one, or something to say. */
export type Line =
  | { readonly kind: "nothing" }
  | { readonly kind: "command"; readonly command: LineCommand }
  | { readonly kind: "misspelled"; readonly note: string }
  | { readonly kind: "text"; readonly text: string };

/** What a line is. A text may begin with a slash, too: only one word that is close to a command isn't sent. */
export function readLine(line: string): Line {
  const word = line.trim();
  if (word === "") return { kind: "nothing" };
  if (Object.hasOwn(COMMANDS, word)) return { kind: "command", command: word as LineCommand };
  const meant = /^\/[a-z]+$/i.test(word) ? suggest(word.toLowerCase(), Object.keys(COMMANDS)) : undefined;
  return meant === undefined ? { kind: "text", text: line } : { kind: "misspelled", note: `did you mean ${meant}?` };
}
