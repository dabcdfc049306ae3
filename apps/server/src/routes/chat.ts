import { randomUUID } from "node:crypto";
import type { AnswerParser, AnswerPart, Completion, GeneratedToken } from "@llm/generate";
import {
  type AnswerHead,
  type ChatDelta,
  type ChatFinish,
  chatChoice,
  chatChunk,
  chatCompletion,
  chatLogprobs,
  chatRequest,
  chosenFields,
  read,
  type ToolCall,
  textEvents,
  usageOf,
} from "@llm/protocol";
import { chatAsk } from "../answer/chat-ask.ts";
import { isCutOff } from "../answer/cut-off.ts";
import { tokenLogprobs } from "../answer/logprobs.ts";
import { promptIds } from "../answer/prompt-ids.ts";
import { StreamUsage } from "../answer/stream-usage.ts";
import { stateOf, times } from "../engine/answers.ts";
import { totalUsage } from "./completions.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** `POST /v1/chat/completions` */
export function chatRoutes({ app, turns, fingerprint }: RouteContext): void {
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = read(chatRequest, request.body);
    const n = body.n ?? 1;
    const turn = await turns.begin(request, reply, body.model, n, "n");
    const { generator } = turn;
    const isWarming = body.n_predict === 0; // editors have the prompt read while the rest of it is typed
    const { ask, parser } = chatAsk(isWarming ? { ...body, n_predict: 1 } : body, generator);
    const asks = times(ask, n, stateOf(body.seed));
    const parsers = asks.map(parser);
    const head: AnswerHead = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: turn.model,
    };
    const logprobs = (tokens: readonly GeneratedToken[]) =>
      body.logprobs ? chatLogprobs(tokenLogprobs(generator.tokenizer, tokens)) : null;
    const prompt = () => (body.return_token_ids ? { prompt_token_ids: promptIds(generator, ask) } : {});

    if (isWarming) {
      const [{ usage }] = await turn.answer(asks.slice(0, 1));
      const read = usageOf(usage.promptTokens, 0, usage.cachedTokens);
      const nothing = chatCompletion(head, fingerprint, [chatChoice(0, gather([]), "length")], read);
      return chosenFields(nothing, body.response_fields);
    }
    if (!body.stream) {
      const answers = await turn.answer(asks);
      const choices = answers.map((each, index) => {
        const said = gather([...parsers[index].push(each.text), ...parsers[index].end()]);
        const finish = finishOf(each, parsers[index]);
        const ids = body.return_token_ids ? { token_ids: each.tokens } : {};
        return chatChoice(index, said, finish, body.logprobs ? logprobs(each.logprobs ?? []) : null, ids);
      });
      const whole = chatCompletion(head, fingerprint, choices, totalUsage(answers, n), prompt());
      return chosenFields(whole, body.response_fields);
    }

    const usage = new StreamUsage(body.stream_options, () => promptIds(generator, ask).length);
    const told = Boolean(body.logprobs || body.return_token_ids); // something of each token
    return streamTo(request, reply, {}, async (stream) => {
      const chunk = (choice: Parameters<typeof chatChunk>[2]) => chatChunk(head, fingerprint, choice, usage.now);
      const texts = asks.map((_, index) => textEvents((content) => chunk({ index, delta: { content } })));
      const begun = new Set<number>();
      const tell = async (index: number, parts: readonly AnswerPart[], tokens: readonly GeneratedToken[]) => {
        if (!begun.has(index)) {
          const first = begun.size === 0 ? prompt() : {};
          begun.add(index);
          await stream.send({ ...chunk({ index, delta: { role: "assistant", content: "" } }), ...first });
        }
        const [part] = parts;
        if (parts.length === 1 && part.kind === "text" && !told && !usage.running)
          return stream.write(texts[index](part.text));
        const deltas = parts.map(deltaOf);
        if (deltas.length === 0 && told && tokens.length > 0) deltas.push({ content: "" });
        for (const [i, delta] of deltas.entries()) {
          const ids = body.return_token_ids ? { token_ids: i === 0 ? tokens.map(({ id }) => id) : [] } : {};
          await stream.send(chunk({ index, delta, logprobs: i === 0 ? logprobs(tokens) : null, ids }));
        }
      };
      const answers = await turn.answer(asks, ({ index, text, tokens }) => {
        usage.count(tokens.length);
        return tell(index, parsers[index].push(text), tokens);
      });
      for (const [index, answer] of answers.entries()) {
        await tell(index, parsers[index].end(), []);
        const finish = finishOf(answer, parsers[index]);
        await stream.send(chunk({ index, delta: {}, finish }));
      }
      if (usage.atEnd) await stream.send(chatChunk(head, fingerprint, undefined, totalUsage(answers, n)));
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

function finishOf(answer: Completion, parser: AnswerParser): ChatFinish {
  if (isCutOff(answer, parser)) return "length";
  return parser.calls > 0 ? "tool_calls" : "stop";
}
