import { AnswerParser, type AnswerPart, type ChatMessage, GenerateError, type GenerateOptions } from "@llm/generate";
import { Generator } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
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
  const { system, stream = true } = call.options;
  const messages: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  const lines = io.lines("> ");
  let answering: AbortController | undefined;
  // Ctrl-C stops an answer; where there is none to stop, it ends the conversation.
  lines.onInterrupt(() => (answering ? answering.abort() : lines.close()));
  try {
    for await (const line of lines) {
      if (line.trim() === "") continue;
      messages.push({ role: "user", content: line });
      answering = new AbortController();
      const signal = AbortSignal.any([io.signal, answering.signal]);
      const said = await answer(generator, messages, generation, { io, signal, stream });
      answering = undefined;
      messages.push(said);
    }
    return { json: { messages } };
  } finally {
    lines.close();
    await generator.close();
  }
}

const HINTS = {
  family: "this checkpoint has no chat template; its family's is used, which it may never have been trained on",
  plain: "this checkpoint has no chat template, so it hardly knows what a conversation is; `llm run` suits it better",
} as const;

/** What the model says, and thinks before it; as far as it came, when it is stopped. */
async function answer(
  generator: Generator,
  messages: readonly ChatMessage[],
  options: GenerateOptions,
  { io, signal, stream }: { readonly io: Io; readonly signal: AbortSignal; readonly stream: boolean },
): Promise<ChatMessage> {
  const said = { thoughts: "", content: "" };
  let shown = "";
  const show = (text: string): void => {
    shown += text;
    if (stream) io.write(text);
  };
  const tell = (parts: readonly AnswerPart[]): void => {
    for (const part of parts) {
      if (part.kind === "reasoning") said.thoughts += part.text;
      else if (part.kind === "text") {
        if (said.content === "" && said.thoughts !== "") show("\n\n");
        said.content += part.text;
      } else continue;
      show(part.text);
    }
  };
  const say = async (how: GenerateOptions) => {
    const answering = generator.chat(messages, { ...how, signal });
    const parser = new AnswerParser(answering.formats);
    try {
      for await (const piece of answering) tell(parser.push(piece));
    } finally {
      tell(parser.end());
    }
  };
  try {
    await say(options).catch((error: unknown) => {
      if (!(GenerateError.isInstance(error) && error.code === "context-overflow")) throw error;
      io.note("the conversation has become longer than the model takes; its beginning is left out");
      return say({ ...options, truncatePrompt: "left" });
    });
  } catch (error) {
    if (!signal.aborted || io.signal.aborted) throw error;
  }
  io.write(stream ? "\n" : `${shown}\n`);
  const { thoughts, content } = said;
  return { role: "assistant", content, ...(thoughts === "" ? {} : { reasoning_content: thoughts }) };
}
