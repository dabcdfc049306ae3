import { randomUUID } from "node:crypto";
import type { Completion } from "@llm/generate";
import {
  type AnswerHead,
  type CompletionRequest,
  completion,
  completionChunk,
  completionLogprobs,
  completionRequest,
  invalid,
  read,
  samplingOf,
  unsupported,
  usageOf,
} from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { tokenLogprobs } from "../answer/logprobs.ts";
import { type Ask, times } from "../engine/answers.ts";
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
    const wants = body.logprobs !== undefined && body.logprobs !== null;
    const logprobs = (tokens: Parameters<typeof tokenLogprobs>[1], offset: number) =>
      wants ? completionLogprobs(tokenLogprobs(generator.tokenizer, tokens), offset) : null;

    if (!body.stream) {
      const answers = await turn.answer(asks);
      const choices = answers.map((each, index) => ({
        text: echoed(body, generator, asks[index]) + each.text,
        index,
        logprobs: logprobs(each.logprobs ?? [], 0),
        finish_reason: each.finishReason,
      }));
      return completion(
        head,
        fingerprint,
        choices,
        totalUsage(answers, asks.length / promptsOf(body, generator).length),
      );
    }

    const { include_usage: usage, continuous_usage_stats: continuous } = body.stream_options ?? {};
    return streamTo(request, reply, { param: "prompt" }, async (stream) => {
      const said = asks.map((ask) => echoed(body, generator, ask));
      const offsets = said.map(({ length }) => length);
      let counted = 0;
      const now = () => (usage ? (continuous ? usageOf(0, counted, 0) : null) : undefined);
      const answers = await turn.answer(asks, async ({ index, text, tokens }) => {
        counted += tokens.length;
        const before = said[index];
        said[index] = "";
        const choice = { text: before + text, index, logprobs: logprobs(tokens, offsets[index]), finish_reason: null };
        offsets[index] += text.length;
        await stream.send(completionChunk(head, fingerprint, choice, now()));
      });
      for (const [index, { finishReason }] of answers.entries()) {
        const choice = { text: said[index], index, logprobs: null, finish_reason: finishReason };
        await stream.send(completionChunk(head, fingerprint, choice, usage ? null : undefined));
      }
      if (usage)
        await stream.send(
          completionChunk(
            head,
            fingerprint,
            undefined,
            totalUsage(answers, asks.length / promptsOf(body, generator).length),
          ),
        );
    });
  });
}

/** How many answers a request asks for. */
function countOf({ prompt, suffix, n }: CompletionRequest): number {
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== "number" && suffix === undefined ? prompt.length : 1;
  return prompts * (n ?? 1);
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
  if (typeof prompt === "string") return [prompt];
  return typeof prompt[0] === "number" ? [prompt as number[]] : (prompt as (string | number[])[]);
}

function asksOf(body: CompletionRequest, generator: Generator): Ask[] {
  const n = body.n ?? 1;
  if ((body.best_of ?? n) !== n) throw unsupported("best_of", "other than 'n' is not supported");
  if (body.max_tokens === 0)
    throw unsupported("max_tokens", "must be at least 1: scoring a prompt without an answer is not supported");
  const options = {
    ...samplingOf(body),
    maxNewTokens: body.max_tokens ?? DEFAULT_TOKENS,
    ...(body.logprobs === null || body.logprobs === undefined ? {} : { logprobs: body.logprobs }),
  };
  if (body.echo && options.logprobs !== undefined)
    throw unsupported("echo", "together with 'logprobs' is not supported");
  return promptsOf(body, generator).flatMap((prompt) => times({ prompt, options }, n, body.seed));
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
