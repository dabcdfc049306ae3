import type { ChatMessage } from "@llm/generate";
import { Generator } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { type Answer, answer } from "./chat/answer.ts";
import { HELP, readLine } from "./chat/line.ts";
import { answersAtOnce, generationOptions } from "./generate.ts";
import { runnableOptions, thingOf } from "./runnable-options.ts";

/** `llm chat` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const generation = generationOptions(call.options, io.note);
  const generator = await Generator.fromPretrained(thingOf(call), {
    ...runnableOptions(call, io),
    batchSize: answersAtOnce(call.options),
  });
  const { origin } = generator.tokenizer.chatTemplate;
  if (origin !== "checkpoint") io.note(HINTS[origin]);
  const variables = thinkingVariables(generator, call, io);
  const { system, stream = true } = call.options;
  const beginning: readonly ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  const messages: Said[] = [...beginning];
  const lines = io.lines("> ");
  let answering: AbortController | undefined;
  let interrupted = false;
  // Ctrl-C stops an answer; at the prompt it throws away what is typed, and ends the conversation the second time.
  lines.onInterrupt(() => {
    if (answering) return answering.abort();
    if (interrupted && lines.typed === "") return lines.close();
    interrupted = true;
    lines.startOver("Ctrl-C again, or Ctrl-D, ends the chat");
  });
  try {
    for await (const typed of lines) {
      interrupted = false;
      const line = readLine(typed);
      if (line.kind === "misspelled") io.note(line.note);
      if (line.kind === "command") {
        if (line.command === "/exit") break;
        if (line.command === "/help") io.note(HELP);
        else messages.splice(0, messages.length, ...beginning);
      }
      if (line.kind !== "text") continue;
      messages.push({ role: "user", content: line.text });
      answering = new AbortController();
      const signal = AbortSignal.any([io.signal, answering.signal]);
      const told = messages.map(({ finish_reason: _, ...message }): ChatMessage => message);
      const { message, ...how } = await answer(generator, told, { generation, variables, stream, signal }, io);
      answering = undefined;
      messages.push({ ...message, ...how });
    }
    return { json: { messages } };
  } finally {
    lines.close();
    await generator.close();
  }
}

/** A message, and of an answer how it came to its end. */
type Said = ChatMessage & Pick<Answer, "finish_reason">;

const HINTS = {
  family: "this checkpoint has no chat template; its family's is used, which it may never have been trained on",
  plain: "this checkpoint has no chat template, so it hardly knows what a conversation is; `llm run` suits it better",
} as const;

/** What chat templates call the switch for thinking. */
const SWITCHES = ["enable_thinking", "thinking"];

function thinkingVariables({ tokenizer }: Generator, { options }: Call, io: Io): Record<string, boolean> {
  const { thinking } = options;
  if (thinking === undefined) return {};
  const names = SWITCHES.filter((name) => tokenizer.chatTemplateSource?.includes(name));
  if (names.length === 0) io.note("--thinking changes nothing: this model's chat template has no switch for it");
  return Object.fromEntries(names.map((name) => [name, thinking === "on"]));
}
