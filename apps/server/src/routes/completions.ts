import { randomUUID } from "node:crypto";
import type { Completion, GeneratedToken } from "@llm/generate";
import {
  type AnswerHead,
  type CompletionChunk,
  completion,
  completionChunk,
  completionLogprobs,
  completionRequest,
  read,
  textEvents,
  usageOf,
} from "@llm/protocol";
import { asksOf, countOf, echoed, severalOf } from "../answer/completion-asks.ts";
import { tokenLogprobs } from "../answer/logprobs.ts";
import { promptIds } from "../answer/prompt-ids.ts";
import { StreamUsage } from "../answer/stream-usage.ts";
import { TextOffsets } from "../answer/text-offsets.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** `POST /v1/completions` */
export function completionRoutes({ app, turns, fingerprint }: RouteContext): void {
  app.post("/v1/completions", async (request, reply) => {
    const body = read(completionRequest, request.body);
    const turn = await turns.begin(request, reply, body.model, countOf(body), severalOf(body));
    const { generator } = turn;
    const asks = asksOf(body, generator);
    const head: AnswerHead = { id: `cmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: turn.model };
    const n = body.n ?? 1;
    const wants = body.logprobs !== undefined && body.logprobs !== null;
    const logprobs = (tokens: readonly GeneratedToken[], offsets: readonly number[]) =>
      wants ? completionLogprobs(tokenLogprobs(generator.tokenizer, tokens), offsets) : null;
    const skipsSpecial = body.skip_special_tokens ?? true;
    const offsetsFrom = (text: string) => new TextOffsets(generator.tokenizer, text, skipsSpecial);

    if (!body.stream) {
      const answers = await turn.answer(asks);
      const perPrompt = body.best_of ?? n;
      const choices = bestOf(answers, perPrompt, n).map(({ answer, at }, index) => {
        const echo = echoed(body, generator, asks[at]);
        const prompt = body.echo ? (answer.promptLogprobs ?? []) : [];
        const said = answer.logprobs ?? [];
        const offsets = offsetsFrom(prompt.length > 0 ? "" : echo);
        return {
          text: echo + answer.text,
          index,
          logprobs: logprobs([...prompt, ...said], [...offsets.ofPrompt(prompt, echo), ...offsets.ofAnswer(said)]),
          finish_reason: answer.finishReason,
          ...(body.return_token_ids
            ? { token_ids: answer.tokens, prompt_token_ids: promptIds(generator, asks[at]) }
            : {}),
        };
      });
      return completion(head, fingerprint, choices, totalUsage(answers, perPrompt));
    }

    const usage = new StreamUsage(body.stream_options, () =>
      asks.reduce((sum, ask, i) => sum + (i % n === 0 ? promptIds(generator, ask).length : 0), 0),
    );
    const plain = !wants && !usage.running && !body.return_token_ids;
    return streamTo(request, reply, {}, async (stream) => {
      const chunk = (choice?: CompletionChunk["choices"][number]) =>
        completionChunk(head, fingerprint, choice, usage.now);
      const said = asks.map((ask) => echoed(body, generator, ask));
      const offsets = said.map(offsetsFrom);
      const events = asks.map((_, index) =>
        textEvents((text) => chunk({ text, index, logprobs: null, finish_reason: null })),
      );
      const begun = new Set<number>();
      const ids = (index: number, tokens: readonly GeneratedToken[]) => {
        if (!body.return_token_ids) return {};
        const first = begun.has(index) ? {} : { prompt_token_ids: promptIds(generator, asks[index]) };
        begun.add(index);
        return { ...first, token_ids: tokens.map(({ id }) => id) };
      };
      const answers = await turn.answer(asks, ({ index, text, tokens }) => {
        usage.count(tokens.length);
        const before = said[index];
        said[index] = "";
        if (plain) return stream.write(events[index](before + text));
        // Offsets go by the tokens, not by the text, whose end may be held back.
        const told = { logprobs: logprobs(tokens, offsets[index].ofAnswer(tokens)), ...ids(index, tokens) };
        return stream.send(chunk({ text: before + text, index, ...told, finish_reason: null }));
      });
      for (const [index, { finishReason }] of answers.entries())
        await stream.send(chunk({ text: said[index], index, logprobs: null, finish_reason: finishReason }));
      if (usage.atEnd) await stream.send(completionChunk(head, fingerprint, undefined, totalUsage(answers, n)));
    });
  });
}

/** Of the answers to each prompt, `perPrompt` of them, the `n` best: those whose tokens are likeliest on average. */
function bestOf(
  answers: readonly Completion[],
  perPrompt: number,
  n: number,
): { readonly answer: Completion; readonly at: number }[] {
  const chosen: { answer: Completion; at: number }[] = [];
  for (let first = 0; first < answers.length; first += perPrompt) {
    const [{ promptLogprobs }] = answers.slice(first);
    const all = answers.slice(first, first + perPrompt).map((answer, i) => ({
      answer: promptLogprobs ? { ...answer, promptLogprobs } : answer,
      at: first + i,
    }));
    chosen.push(
      ...(perPrompt === n ? all : all.toSorted((a, b) => meanLogprob(b.answer) - meanLogprob(a.answer))).slice(0, n),
    );
  }
  return chosen;
}

function meanLogprob({ logprobs = [] }: Completion): number {
  return logprobs.reduce((sum, { logprob = 0 }) => sum + logprob, 0) / Math.max(1, logprobs.length);
}

/** A prompt counts once, however many answers it gets. */
export function totalUsage(answers: readonly Completion[], perPrompt: number) {
  let [prompt, cached, said] = [0, 0, 0];
  for (const [i, { usage }] of answers.entries()) {
    said += usage.completionTokens;
    if (i % perPrompt !== 0) continue;
    prompt += usage.promptTokens;
    cached += usage.cachedTokens;
  }
  return usageOf(prompt, said, cached);
}
