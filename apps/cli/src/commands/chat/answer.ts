import { AnswerParser, type AnswerPart, type ChatMessage, GenerateError, type GenerateOptions } from "@llm/generate";
import type { Generator } from "@llm/toolchain";
import type { Io } from "../../output/io.ts";

/** How a conversation is gone on with. */
export interface AnswerOptions {
  readonly generation: GenerateOptions;
  /** Of the chat template, such as whether to think. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly stream: boolean;
  readonly signal: AbortSignal;
}

/** What the model said, as far as it came. */
export interface Answer {
  readonly message: ChatMessage;
  /** Absent where it was stopped. */
  readonly finish_reason?: "stop" | "length";
}

/** Has the model say something, and shows it; what it thinks before that is for people at a terminal. */
export async function answer(
  generator: Generator,
  messages: readonly ChatMessage[],
  { generation, variables, stream, signal }: AnswerOptions,
  io: Io,
): Promise<Answer> {
  const said = { thoughts: "", content: "" };
  let shown = "";
  const show = (text: string): void => {
    shown += text;
    if (stream) io.write(text);
  };
  const tell = (parts: readonly AnswerPart[]): void => {
    for (const part of parts) {
      if (part.kind === "reasoning") {
        said.thoughts += part.text;
        if (io.terminal) show(part.text);
      } else if (part.kind === "text") {
        if (said.content === "" && said.thoughts !== "" && io.terminal) show("\n\n");
        said.content += part.text;
        show(part.text);
      }
    }
  };
  const say = async (how: GenerateOptions) => {
    const answering = generator.chat(messages, { ...how, variables, signal });
    const parser = new AnswerParser(answering.formats);
    try {
      for await (const piece of answering) tell(parser.push(piece));
    } finally {
      tell(parser.end());
    }
    return answering.result;
  };
  const { room } = generator.scheduler;
  const finished = await say({ ...lengthOf(generator, room), ...generation })
    .catch((error: unknown) => {
      if (!(GenerateError.isInstance(error) && error.code === "context-overflow")) throw error;
      io.note("the conversation has become longer than the model takes; its beginning is left out");
      return say({ ...lengthOf(generator, Math.ceil(room / 4)), ...generation, truncatePrompt: "left" });
    })
    .catch((error: unknown) => {
      if (!signal.aborted || io.signal.aborted) throw error;
      return undefined;
    })
    .finally(() => io.write(stream ? "\n" : `${shown}\n`));
  const { thoughts, content } = said;
  const message = { role: "assistant", content, ...(thoughts === "" ? {} : { reasoning_content: thoughts }) };
  if (finished === undefined) return { message };
  const { finishReason, tokens } = finished;
  if (finishReason === "length") io.note(cutNote(tokens.length, generation.maxNewTokens ?? ownLimit(generator)));
  return { message, finish_reason: finishReason };
}

/** An answer in a conversation is as long as it takes, unless the user or the checkpoint says otherwise. */
function lengthOf(generator: Generator, most: number): GenerateOptions {
  return ownLimit(generator) === undefined ? { maxNewTokens: most } : {};
}

/** How long the checkpoint says that its answers are. */
const ownLimit = ({ runnable }: Generator): number | undefined => runnable.defaults.maxNewTokens;

function cutNote(tokens: number, limit: number | undefined): string {
  return limit === undefined || tokens < limit
    ? `cut after ${tokens} tokens, where the room for them ends; --ctx-len may give more, /clear begins anew`
    : `cut after ${tokens} tokens; --max-new-tokens allows more`;
}
