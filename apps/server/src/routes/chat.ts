import { randomUUID } from "node:crypto";
import type { AnswerPart } from "@llm/generate";
import {
  type AnswerHead,
  type ChatDelta,
  type ChatFinish,
  chatChoice,
  chatChunk,
  chatCompletion,
  chatLogprobs,
  chatRequest,
  read,
  type ToolCall,
  usageOf,
} from "@llm/protocol";
import { chatAsk } from "../answer/chat-ask.ts";
import { tokenLogprobs } from "../answer/logprobs.ts";
import { times } from "../engine/answers.ts";
import { totalUsage } from "./completions.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** `POST /v1/chat/completions` */
export function chatRoutes({ app, turns, fingerprint }: RouteContext): void {
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = read(chatRequest, request.body);
    const n = body.n ?? 1;
    const turn = await turns.begin(request, reply, body.model, n);
    const { generator } = turn;
    const { ask, parser } = chatAsk(body, generator);
    const asks = times(ask, n, body.seed);
    const parsers = asks.map(parser);
    const head: AnswerHead = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: body.model,
    };
    const logprobs = (tokens: Parameters<typeof tokenLogprobs>[1]) =>
      body.logprobs ? chatLogprobs(tokenLogprobs(generator.tokenizer, tokens)) : null;

    if (!body.stream) {
      const answers = await turn.answer(asks);
      const choices = answers.map((each, index) => {
        const said = gather([...parsers[index].push(each.text), ...parsers[index].end()]);
        const finish = finishOf(each.finishReason, said.calls.length);
        return chatChoice(index, said, finish, body.logprobs ? logprobs(each.logprobs ?? []) : null);
      });
      return chatCompletion(head, fingerprint, choices, totalUsage(answers, n));
    }

    const { include_usage: usage, continuous_usage_stats: continuous } = body.stream_options ?? {};
    return streamTo(request, reply, { param: "messages" }, async (stream) => {
      let counted = 0;
      const begun = new Set<number>();
      const now = () => (usage ? (continuous ? usageOf(0, counted, 0) : null) : undefined);
      const tell = async (index: number, parts: readonly AnswerPart[], tokens: Parameters<typeof logprobs>[0]) => {
        if (!begun.has(index)) {
          begun.add(index);
          await stream.send(chatChunk(head, fingerprint, { index, delta: { role: "assistant", content: "" } }, now()));
        }
        const deltas = parts.map(deltaOf);
        if (deltas.length === 0 && body.logprobs && tokens.length > 0) deltas.push({ content: "" });
        for (const [i, delta] of deltas.entries()) {
          const choice = { index, delta, logprobs: i === 0 ? logprobs(tokens) : null };
          await stream.send(chatChunk(head, fingerprint, choice, now()));
        }
      };
      const answers = await turn.answer(asks, async ({ index, text, tokens }) => {
        counted += tokens.length;
        await tell(index, parsers[index].push(text), tokens);
      });
      for (const [index, { finishReason }] of answers.entries()) {
        await tell(index, parsers[index].end(), []);
        const finish = finishOf(finishReason, parsers[index].calls);
        await stream.send(chatChunk(head, fingerprint, { index, delta: {}, finish }, now()));
      }
      if (usage) await stream.send(chatChunk(head, fingerprint, undefined, totalUsage(answers, n)));
    });
  });
}

const callId = (): string => `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;

function deltaOf(part: AnswerPart): ChatDelta {
  switch (part.kind) {
    case "text":
      return { content: part.text };
    case "reasoning":
      return { reasoning_content: part.text };
    case "call":
      return {
        tool_calls: [
          { index: part.index, id: callId(), type: "function", function: { name: part.name, arguments: "" } },
        ],
      };
    case "arguments":
      return { tool_calls: [{ index: part.index, function: { arguments: part.text } }] };
  }
}

function gather(parts: readonly AnswerPart[]): { text: string; reasoning: string; calls: ToolCall[] } {
  const said = { text: "", reasoning: "", calls: [] as ToolCall[] };
  for (const part of parts) {
    if (part.kind === "text") said.text += part.text;
    else if (part.kind === "reasoning") said.reasoning += part.text;
    else if (part.kind === "call")
      said.calls.push({ id: callId(), type: "function", function: { name: part.name, arguments: "" } });
    else {
      const call = said.calls[part.index];
      said.calls[part.index] = {
        ...call,
        function: { ...call.function, arguments: call.function.arguments + part.text },
      };
    }
  }
  return said;
}

const finishOf = (reason: "stop" | "length", calls: number): ChatFinish =>
  reason === "stop" && calls > 0 ? "tool_calls" : reason;
