import { randomUUID } from "node:crypto";
import { apart, type Completion, type GeneratedToken, type GenerateOptions } from "@llm/generate";
import {
  type AnswerHead,
  type CompletionChunk,
  type CompletionRequest,
  completion,
  completionChunk,
  completionLogprobs,
  completionRequest,
  invalid,
  read,
  samplingOf,
  textEvents,
  unsupported,
  usageOf,
} from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { tokenLogprobs } from "../answer/logprobs.ts";
import { promptIds } from "../answer/prompt-ids.ts";
import { StreamUsage } from "../answer/stream-usage.ts";
import { type Ask, stateOf, times } from "../engine/answers.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** What OpenAI gives where nothing is said. */
const DEFAULT_TOKENS = 16;

/** `POST /v1/completions` */
export function completionRoutes({ app, turns, fingerprint }: RouteContext): void {
  app.post("/v1/completions", async (request, reply) => {
    const body = read(completionRequest, request.body);
    const turn = await turns.begin(request, reply, body.model, countOf(body));
    const { generator } = turn;
    const asks = asksOf(body, generator);
    const head: AnswerHead = { id: `cmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: body.model };
    const n = body.n ?? 1;
    const wants = body.logprobs !== undefined && body.logprobs !== null;
    const logprobs = (tokens: readonly GeneratedToken[], offset: number) =>
      wants ? completionLogprobs(tokenLogprobs(generator.tokenizer, tokens), offset) : null;

    if (!body.stream) {
      const answers = await turn.answer(asks);
      const perPrompt = body.best_of ?? n;
      const choices = bestOf(answers, perPrompt, n).map(({ answer, at }, index) => {
        const echo = echoed(body, generator, asks[at]);
        const prompt = body.echo ? (answer.promptLogprobs ?? []) : [];
        return {
          text: echo + answer.text,
          index,
          logprobs: logprobs([...prompt, ...(answer.logprobs ?? [])], prompt.length > 0 ? 0 : echo.length),
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
      const offsets = said.map(({ length }) => length);
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
        const told = { logprobs: logprobs(tokens, offsets[index]), ...ids(index, tokens) };
        // By its tokens, not by its text, whose end may be held back.
        offsets[index] += told.logprobs?.tokens.reduce((sum, { length }) => sum + length, 0) ?? 0;
        return stream.send(chunk({ text: before + text, index, ...told, finish_reason: null }));
      });
      for (const [index, { finishReason }] of answers.entries())
        await stream.send(chunk({ text: said[index], index, logprobs: null, finish_reason: finishReason }));
      if (usage.atEnd) await stream.send(completionChunk(head, fingerprint, undefined, totalUsage(answers, n)));
    });
  });
}

/** How many answers a request asks for. */
function countOf({ prompt, suffix, n, best_of: best }: CompletionRequest): number {
  const several = Array.isArray(prompt) && typeof prompt[0] !== "number" && typeof suffix !== "string";
  return (several ? prompt.length : 1) * Math.max(n ?? 1, best ?? 1);
}

/** Prompts as they were given: text, ids, or a list of either. */
function promptsOf(body: CompletionRequest, { tokenizer }: Generator): (string | number[])[] {
  const prompt = body.prompt ?? "";
  if (body.suffix !== null && body.suffix !== undefined) {
    if (typeof prompt !== "string") throw invalid("prompt", "'prompt' must be one text where there is a 'suffix'");
    if (!tokenizer.infill)
      throw unsupported("suffix", "needs a model that was trained to fill in, and this one has no tokens for it");
    return [Array.from(tokenizer.encodeInfill({ prefix: prompt, suffix: body.suffix }))];
  }
  const prompts = typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt] : prompt;
  return (prompts as (string | number[])[]).map((each) => (each === "" ? beginning(tokenizer) : each));
}

/** A text's beginning is a prompt too, in the token that the model knows it by. */
function beginning(tokenizer: Generator["tokenizer"]): number[] {
  const [first = tokenizer.bosTokenId ?? tokenizer.eosTokenId] = tokenizer.encode("");
  if (first === undefined) throw invalid("prompt", "'prompt' is empty, and this model has no token for a beginning");
  return [first];
}

function asksOf(body: CompletionRequest, generator: Generator): Ask[] {
  const { n = 1, best_of: best = n, logprobs, max_tokens: most, echo } = withoutNulls(body);
  if (best < n) throw invalid("best_of", `'best_of' is ${best}, and the best ${n} of them were asked for`);
  if (body.stream && best > n)
    throw unsupported("best_of", "can't be streamed: which are the best is known when all are done");
  if (body.stream && echo && logprobs !== undefined)
    throw unsupported("echo", "together with 'logprobs' can't be streamed");
  if (body.stream && most === 0) throw unsupported("max_tokens", "must be at least 1 where the answer is streamed");
  const scored = most === 0 || (echo && logprobs !== undefined) ? { promptLogprobs: logprobs ?? 0 } : {};
  const sampling: GenerateOptions = samplingOf(body);
  const filledIn = typeof body.suffix === "string" ? generator.tokenizer.infillEnds : [];
  const options = {
    ...sampling,
    stopTokens: [...(sampling.stopTokens ?? []), ...filledIn],
    maxNewTokens: most ?? DEFAULT_TOKENS,
    // The best are the likeliest.
    ...(logprobs !== undefined || best > n ? { logprobs: logprobs ?? 0 } : {}),
  };
  const prompts = promptsOf(body, generator);
  const states = apart(stateOf(body.seed), prompts.length);
  return prompts.flatMap((prompt, at) =>
    // Answers to one prompt share its score: it is read for one of them.
    times({ prompt, options }, best, states[at]).map((ask, i) =>
      i === 0 || most === 0 ? { ...ask, options: { ...ask.options, ...scored } } : ask,
    ),
  );
}

/** What a request leaves out, by null or by silence, is left out. */
function withoutNulls<T extends object>(body: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)) as never;
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

function echoed(body: CompletionRequest, { tokenizer }: Generator, { prompt }: Ask): string {
  if (!body.echo) return "";
  return typeof prompt === "string" ? prompt : tokenizer.decode(prompt);
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
