import { randomUUID } from "node:crypto";
import type { AnswerParser, Completion } from "@llm/generate";
import {
  anthropicError,
  anthropicMessage,
  chatOfMessages,
  countTokensRequest,
  type MessageBlock,
  type MessageEnd,
  type MessageEvent,
  type MessagesRequest,
  messagesRequest,
  messagesUsage,
  read,
} from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { type Block, type BlockEvent, Blocks } from "../answer/blocks.ts";
import { chatAsk } from "../answer/chat-ask.ts";
import { isCutOff } from "../answer/cut-off.ts";
import { stateOf, times } from "../engine/answers.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** `POST /v1/messages` and `POST /v1/messages/count_tokens`, in Anthropic's form */
export function messagesRoutes({ app, turns }: RouteContext): void {
  app.post("/v1/messages/count_tokens", async (request, reply) => {
    const body = read(countTokensRequest, request.body);
    const { generator } = await turns.begin(request, reply, body.model, 1);
    return { input_tokens: promptTokens(generator, chatAsk(chatOfMessages(body), generator).ask.prompt) };
  });

  app.post("/v1/messages", async (request, reply) => {
    const body = read(messagesRequest, request.body);
    const turn = await turns.begin(request, reply, body.model, 1);
    const { generator } = turn;
    const { ask, parser: parserOf } = chatAsk(chatOfMessages(body), generator);
    const asks = times(ask, 1, stateOf(undefined));
    const head = { id: `msg_${randomUUID().replaceAll("-", "").slice(0, 24)}`, model: turn.model };
    const parser = parserOf();
    const blocks = new Blocks();

    if (!body.stream) {
      const [said] = await turn.answer(asks);
      blocks.push([...parser.push(said.text), ...parser.end()]);
      return anthropicMessage(head, blocks.all.map(blockOf), endOf(body, said, parser), usageOf(said));
    }

    const problem = (error: Parameters<typeof anthropicError>[0]) => ({
      name: "error",
      data: anthropicError(error, request.id),
    });
    return streamTo(request, reply, { problem, done: false }, async (stream) => {
      const send = (event: MessageEvent): Promise<void> => stream.send(event, event.type);
      let begun = false;
      const tell = async (events: readonly BlockEvent[]): Promise<void> => {
        if (!begun) {
          begun = true;
          const usage = messagesUsage(promptTokens(generator, ask.prompt), 0, 0);
          const message = anthropicMessage(head, [], { stop_reason: null, stop_sequence: null }, usage);
          await send({ type: "message_start", message });
        }
        for (const event of events) await send(eventOf(event));
      };
      const [said] = await turn.answer(asks, async ({ text }) => tell(blocks.push(parser.push(text))));
      await tell([...blocks.push(parser.end()), ...blocks.end()]);
      await send({ type: "message_delta", delta: endOf(body, said, parser), usage: usageOf(said) });
      await send({ type: "message_stop" });
    });
  });
}

const usageOf = ({ usage }: Completion) =>
  messagesUsage(usage.promptTokens, usage.completionTokens, usage.cachedTokens);

/** How many tokens the template's text has; the template has written those that begin it. */
function promptTokens({ tokenizer }: Generator, prompt: string): number {
  return tokenizer.encode(prompt, { addSpecialTokens: false }).length;
}

function blockOf({ kind, id, name, text }: Block): MessageBlock {
  switch (kind) {
    case "text":
      return { type: "text", text, citations: null };
    case "reasoning":
      return { type: "thinking", thinking: text, signature: "" };
    case "call":
      return { type: "tool_use", id: `toolu_${id}`, name, input: inputOf(text) };
  }
}

/** A call that the answer's end cut off has no arguments that could be read. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return {};
  }
}

function eventOf(event: BlockEvent): MessageEvent {
  const { index, kind } = event.block;
  if (event.type === "open")
    return { type: "content_block_start", index, content_block: blockOf({ ...event.block, text: "" }) };
  if (event.type === "close") return { type: "content_block_stop", index };
  const { text } = event;
  switch (kind) {
    case "text":
      return { type: "content_block_delta", index, delta: { type: "text_delta", text } };
    case "reasoning":
      return { type: "content_block_delta", index, delta: { type: "thinking_delta", thinking: text } };
    case "call":
      return { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: text } };
  }
}

/** Why an answer ended, and at which of the texts that were to end it. */
function endOf({ stop_sequences: stops }: MessagesRequest, said: Completion, parser: AnswerParser): MessageEnd {
  if (isCutOff(said, parser)) return { stop_reason: "max_tokens", stop_sequence: null };
  // The template has such texts too, by which turns end.
  const { stoppedBy: stop } = said;
  if (stop !== undefined && stops?.includes(stop)) return { stop_reason: "stop_sequence", stop_sequence: stop };
  return { stop_reason: parser.calls > 0 ? "tool_use" : "end_turn", stop_sequence: null };
}
