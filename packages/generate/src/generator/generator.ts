import type { Session } from "@llm/target";
import { markersOf, reasoningFormatOf } from "../answer/formats.ts";
import { callsOf, showsTools, toolsAsText } from "../answer/tools-as-text.ts";
import { GenerateError } from "../error.ts";
import { submitGuided } from "../guidance/guided-text.ts";
import { apart } from "../random/random-state.ts";
import { embeddingOf } from "../reading/read.ts";
import type { GeneratedToken, GenerateRequest } from "../scheduler/request.ts";
import { Scheduler, type SchedulerOptions } from "../scheduler/scheduler.ts";
import { markedStream } from "../text/marked-stream.ts";
import { StopStrings } from "../text/stop-strings.ts";
import type { ChatMessage, ChatTemplateOptions, TextStream, TextTokenizer } from "../text/tokenizer.ts";
import { asTextTokenizer, type TransformersStreamer, type TransformersTokenizer } from "../text/transformers.ts";
import { Constrained, formOf } from "./constrained.ts";
import { type Context, type ContextOptions, type ContextStep, Contexts } from "./contexts.ts";
import { withDefaults } from "./defaults.ts";
import { readEmbedOptions, type TextEmbedOptions } from "./embed-options.ts";
import { type Completion, type Generation, PieceQueue, type Started, type Timings, together } from "./generation.ts";
import {
  type AdapterNumbers,
  type GenerateOptions,
  given,
  listOf,
  randomOf,
  readOptions,
  type Settled,
  samplingOf,
  settled,
  type TransformersOptions,
} from "./options.ts";
import { restorePrefix, savePrefix } from "./prefixes.ts";
import { encodePrompt, endsOf, type Fitted, fitPrompt, type Prompt, predicted, promptAndMost } from "./prompt.ts";
import { asPieces, scoredPrompt, wholeTexts } from "./whole-texts.ts";

export interface GeneratorParts<
  T extends TextTokenizer | TransformersTokenizer = TextTokenizer | TransformersTokenizer,
> {
  readonly session: Session;
  readonly tokenizer: T;
  /** Used where a call says nothing: a checkpoint's generation_config, mostly. */
  readonly defaults?: GenerateOptions | TransformersOptions;
  /** Makes a prompt of a conversation, instead of the tokenizer's template. */
  readonly template?: (messages: readonly ChatMessage[], options: ChatTemplateOptions) => string;
  readonly scheduler?: SchedulerOptions;
  /** Numbers of the adapters that the session has loaded, by the names that calls choose them by. */
  readonly adapters?: AdapterNumbers;
}

/** Text from a session: any number of requests at once, each with its own options. */
export class Generator<T extends TextTokenizer | TransformersTokenizer = TextTokenizer | TransformersTokenizer> {
  /** The tokenizer that was given. */
  readonly tokenizer: T;
  readonly scheduler: Scheduler;
  /** The adapters that calls may name. */
  readonly adapters: AdapterNumbers;
  readonly #text: TextTokenizer;
  readonly #defaults: GenerateOptions;
  readonly #template: GeneratorParts["template"];
  readonly #contexts: Contexts;
  readonly #constrained: Constrained;
  readonly #guesses: { readonly speculate?: true };

  constructor({ session, tokenizer, defaults = {}, template, scheduler, adapters = {} }: GeneratorParts<T>) {
    this.tokenizer = tokenizer;
    this.adapters = adapters;
    this.scheduler = new Scheduler(session, scheduler);
    this.#guesses = scheduler?.draft ? { speculate: true } : {};
    this.#text = asTextTokenizer(tokenizer);
    this.#defaults = readOptions(defaults);
    this.#template = template;
    this.#constrained = new Constrained(this.#text, session.limits.vocab);
    this.#contexts = new Contexts(this.scheduler, this.#text, (given, without) => this.#read(given, without));
  }

  /** Starts to generate: `for await (const piece of generator.stream("def f(")) …`, or await its `result`. */
  stream(prompt: Prompt, options: GenerateOptions | TransformersOptions = {}): Generation {
    const all = this.#read(options);
    const { done, cancel, pieces } = this.#begin(prompt, all);
    const leave = (): void => cancel(new DOMException("the text's reader left before its end", "AbortError"));
    return { result: done, formats: all.answerFormats ?? {}, [Symbol.asyncIterator]: () => pieces.iterate(leave) };
  }

  /**
   * The whole text after a prompt, or after each of several, with common options or with their own. When one of several
   * fails, the others are cancelled.
   */
  generate(prompt: Prompt, options?: GenerateOptions | TransformersOptions): Promise<Completion>;
  generate(
    prompts: readonly Prompt[],
    options?: GenerateOptions | TransformersOptions | readonly (GenerateOptions | TransformersOptions)[],
  ): Promise<Completion[]>;
  async generate(
    prompts: Prompt | readonly Prompt[],
    options: GenerateOptions | TransformersOptions | readonly (GenerateOptions | TransformersOptions)[] = {},
  ): Promise<Completion | Completion[]> {
    if (!isBatch(prompts)) return this.stream(prompts, options as GenerateOptions).result;
    const each = (isList(options) ? options : prompts.map(() => options)).map((own) => readOptions(own));
    if (each.length !== prompts.length)
      throw new GenerateError("option-invalid", `${each.length} sets of options for ${prompts.length} prompts`);
    checkStreamers(each);
    // Rows don't draw alike, unless each says what it draws from.
    const states = apart(randomOf(this.#read(isList(options) ? {} : options)), prompts.length);
    return together(
      prompts.map((prompt, i) => () => {
        const all = this.#read(each[i]!);
        const saysItself = isList(options) && (each[i]!.seed ?? each[i]!.random) !== undefined;
        return this.#begin(prompt, { ...all, random: saysItself ? randomOf(all) : states[i]! });
      }),
    );
  }

  /**
   * Several texts after one prompt, the best first where there is a best: `n` of them drawn independently, the `n` likeliest of
   * `bestOf`, or the `n` best of a beam search.
   */
  async several(prompt: Prompt, options: GenerateOptions | TransformersOptions = {}): Promise<Completion[]> {
    const all = this.#read(options);
    const { n = 1, bestOf = n, logprobs, promptLogprobs: scored, ...common } = all;
    if (bestOf < n || n < 1) throw new GenerateError("option-invalid", `the best ${n} of ${bestOf} were asked for`);
    if ((all.numBeams ?? 1) > 1) return this.#whole(this.#fit(prompt, all), all)!.done;
    checkStreamers(Array.from({ length: bestOf }, () => all));
    const asked = bestOf > n ? { logprobs: logprobs ?? 0 } : logprobs === undefined ? {} : { logprobs };
    const drawn = await together(
      apart(randomOf(all), bestOf).map((random, i) => () => {
        // The prompt is the same for all; but where nothing follows, its score is all that there is of each.
        const isRead = scored !== undefined && (i === 0 || all.maxNewTokens === 0);
        const reading = isRead ? { promptLogprobs: scored } : {};
        return this.#begin(prompt, { ...common, ...asked, ...reading, random });
      }),
    );
    const { promptLogprobs } = drawn[0]!;
    const texts = promptLogprobs ? drawn.map((text) => ({ ...text, promptLogprobs })) : drawn;
    if (bestOf === n) return texts;
    const best = texts.toSorted((a, b) => meanLogprob(b) - meanLogprob(a)).slice(0, n);
    return logprobs === undefined ? best.map(({ logprobs: _, ...text }) => text) : best;
  }

  /** Texts as vectors, one each. */
  async embed(texts: readonly Prompt[], options: TextEmbedOptions | TransformersOptions = {}): Promise<Float32Array[]> {
    const { pooled, reading } = readEmbedOptions(options);
    const how = settled(reading, this.adapters);
    const fit = { ...how, room: this.scheduler.room + 1, reserve: 1 }; // no answer follows
    return together(
      texts.map((text) => () => {
        const tokens = fitPrompt(encodePrompt(this.#text, text, reading), fit);
        return embeddingOf(this.scheduler, tokens, { ...pooled, ...given(how, ["adapter", "priority", "signal"]) });
      }),
    );
  }

  /** Goes on with a conversation, by the model's own template. */
  chat(
    messages: readonly ChatMessage[],
    given: (GenerateOptions | TransformersOptions) & Pick<ChatTemplateOptions, "tools" | "variables"> = {},
  ): Generation {
    const { tools, variables, ...rest } = given;
    const template = this.#template ?? this.#text.applyChatTemplate?.bind(this.#text);
    if (!template)
      throw new GenerateError(
        "unsupported",
        "this tokenizer has no chat template; give the Generator a template function",
      );
    if (rest.suffix !== undefined) throw new GenerateError("option-invalid", "a conversation has no suffix");
    const source = this.#template ? undefined : this.#text.chatTemplateSource;
    const functions = tools?.length ? tools : undefined;
    // A template of the program's own is given the tools to tell of; of the model's, those alone that do.
    const isTold = this.#template !== undefined || showsTools(source);
    const conversation = functions && !isTold ? toolsAsText(messages, functions) : messages;
    const prompt = template(conversation, {
      addGenerationPrompt: true,
      ...(variables ? { variables } : {}),
      ...(functions && isTold ? { tools: functions } : {}),
    });
    const reasoning = reasoningFormatOf(source, prompt);
    const answerFormats = { ...(reasoning ? { reasoning } : {}), ...(functions ? callsOf(functions, source) : {}) };
    const options = { addSpecialTokens: false, answerFormats, ...readOptions(rest) };
    const { stop = this.#defaults.stop, numBeams = this.#defaults.numBeams ?? 1 } = options;
    if (numBeams > 1) return this.stream(prompt, options); // a search through several texts can't look for stops
    const ends = this.#template ? [] : (this.#text.chatTemplate?.stops ?? []);
    return this.stream(prompt, { ...options, stop: [...ends, ...listOf(stop)] });
  }

  /** A prompt with its options and random state, as plain data: the beginning of a text that is generated step by step. */
  prepareContext(prompt: Prompt, options: ContextOptions | TransformersOptions = {}): Context {
    return this.#contexts.prepare(prompt, options);
  }

  /** The next token of every row (-1 for those at their end), and the contexts after it. */
  generateNextTokens(context: Context, signal?: AbortSignal): Promise<ContextStep> {
    return this.#contexts.next(context, signal);
  }

  /** Step after step until every row is at its end. */
  generateFromContext(context: Context, signal?: AbortSignal): AsyncGenerator<ContextStep> {
    return this.#contexts.run(context, signal);
  }

  /** The ids of a prompt as they go to the model, without what these options leave out of a long one. */
  promptIds(prompt: Prompt, options: GenerateOptions | TransformersOptions = {}): Int32Array {
    return this.#fit(prompt, this.#read(options)).tokens;
  }

  /** Up to `maxNewTokens` for every row at once: (rows, maxNewTokens), -1 after a row's end. */
  generateAtOnce(context: Context, maxNewTokens: number, signal?: AbortSignal): Promise<ContextStep> {
    return this.#contexts.atOnce(context, maxNewTokens, signal);
  }

  /**
   * What the model, without adapters, computed of a text that prompts will begin with, as bytes to keep; computed now where the
   * cache doesn't hold it.
   *
   * @example
   * const bytes = await generator.savePrefix(systemPrompt);
   * await later.restorePrefix(bytes); // prompts that begin with it start from its end
   */
  async savePrefix(
    prompt: Prompt,
    options: Pick<GenerateOptions, "addSpecialTokens" | "signal"> = {},
  ): Promise<Uint8Array> {
    return savePrefix(this.scheduler, encodePrompt(this.#text, prompt, options), options.signal);
  }

  /** Puts a saved beginning into the cache, and says how many tokens it has: none where requests leave no room for it. */
  async restorePrefix(bytes: Uint8Array): Promise<number> {
    return restorePrefix(this.scheduler, bytes);
  }

  close(): Promise<void> {
    return this.scheduler.close();
  }

  #read(options: GenerateOptions | TransformersOptions, without?: readonly (keyof GenerateOptions)[]): Settled {
    return settled(withDefaults(this.#defaults, readOptions(options), without), this.adapters);
  }

  #begin(prompt: Prompt, options: Settled): Started<Completion> & { readonly pieces: PieceQueue } {
    const { room } = this.scheduler;
    const { logprobs, streamer, n = 1, bestOf = n } = options;
    if (Math.max(n, bestOf) > 1)
      throw new GenerateError(
        "option-invalid",
        `one text can't be ${Math.max(n, bestOf)}: ask \`several\` for n or bestOf`,
      );
    const fitted = this.#fit(prompt, options);
    const whole = this.#whole(fitted, options);
    if (whole) return asPieces(whole);
    const { tokens, maxNewTokens } = fitted;
    const eos = endsOf(this.#text, options);

    const pieces = new PieceQueue();
    const stops = new StopStrings(listOf(options.stop));
    const said: GeneratedToken[] = [];
    const form = formOf(options);
    if (form && options.allow)
      throw new GenerateError("option-invalid", "allow can't be given together with a form that the answer must have");
    const held = form && this.#constrained.hold(form, eos, Math.min(maxNewTokens, room - tokens.length));
    const decoder = held || options.inText ? inText(this.#text, this.#decoder(options)) : this.#decoder(options);
    const ends = new Set(options.ignoreEos ? [] : eos);
    let text = "";
    const say = (piece: string): void => {
      text += piece;
      pieces.push(piece);
    };
    const asked = performance.now();
    let queued: Pick<Timings, "queuedMs"> = {};
    let firstTokenMs = 0;

    const scale = options.guidanceScale ?? 1;
    if (options.negativePrompt !== undefined && options.guidanceScale === undefined)
      throw new GenerateError("option-invalid", "a negativePrompt steers by guidanceScale; give that too, such as 1.5");
    const guidance = { scale, ...(scale === 1 ? {} : this.#away(maxNewTokens, options)) };
    const request: GenerateRequest = {
      prompt: tokens,
      maxNewTokens,
      sampling: samplingOf(options, tokens.length),
      random: randomOf(options),
      stopTokens: eos,
      ...this.#guesses,
      ...given(options, ["ignoreEos", "logprobs", "priority", "adapter", "signal", "allow", "speculate"]),
      ...(options.prediction === undefined ? {} : { prediction: predicted(this.#text, options.prediction) }),
      ...(held ? { allow: held.allow, viable: held.viable } : {}),
      onStart: () => {
        queued = { queuedMs: performance.now() - asked };
      },
      onToken: (token) => {
        if (said.push(token) === 1) firstTokenMs = performance.now() - asked;
        streamer?.put([[BigInt(token.id)]]);
        const piece = ends.has(token.id) ? "" : stops.push(decoder.push(token.id));
        say(piece);
        options.onToken?.(token, piece);
        return stops.stopped || (held?.finished(said.length, token.id) ?? false);
      },
    };
    const ticket = scale === 1 ? this.scheduler.submit(request) : submitGuided(this.scheduler, request, guidance);
    let scored: Started<GeneratedToken[]> | undefined;
    const cancel = (reason?: unknown): void => {
      ticket.cancel(reason);
      scored?.cancel(reason);
    };
    ticket.done.catch((error: unknown) => scored?.cancel(error));
    try {
      scored = scoredPrompt(this.scheduler, tokens, options);
      streamer?.put([Array.from(tokens, BigInt)]);
    } catch (error) {
      cancel(error);
      throw error;
    }
    const completion = ticket.done.then(async (outcome): Promise<Completion> => {
      if (!stops.stopped) say(stops.push(decoder.end()) + stops.end());
      const { finishReason, random, usage } = outcome;
      return {
        text,
        tokens: Array.from(outcome.tokens),
        finishReason: stops.stopped ? "stop" : finishReason,
        ...(stops.found === undefined ? {} : { stoppedBy: stops.found }),
        ...(logprobs === undefined ? {} : { logprobs: said }),
        ...(scored ? { promptLogprobs: await scored.done } : {}),
        usage,
        random,
        timings: { ...queued, firstTokenMs, totalMs: performance.now() - asked },
      };
    });
    const done = streamer ? endStreamer(streamer, completion) : completion;
    done.then(
      () => pieces.end(),
      (error: unknown) => pieces.end(error),
    );
    return { done, cancel, pieces };
  }

  /** The ids of what a text is steered away from: it needs room for the answer as the prompt does. */
  #away(reserve: number, options: Settled): { readonly away?: Int32Array } {
    const { negativePrompt, addSpecialTokens = true, truncatePrompt } = options;
    if (negativePrompt === undefined) return {};
    const encoded = encodePrompt(this.#text, negativePrompt, { addSpecialTokens });
    const fit = { room: this.scheduler.room, reserve, what: "negativePrompt" };
    return { away: fitPrompt(encoded, truncatePrompt ? { ...fit, truncatePrompt } : fit) };
  }

  #fit(prompt: Prompt, options: Settled): Fitted {
    return promptAndMost(encodePrompt(this.#text, prompt, options), this.scheduler.room, options);
  }

  #whole(fitted: Fitted, options: Settled): Started<Completion[]> | undefined {
    return wholeTexts({ scheduler: this.scheduler, tokenizer: this.#text }, fitted, options);
  }

  #decoder({ skipSpecialTokens = true, answerFormats }: Settled): TextStream {
    if (skipSpecialTokens && answerFormats) return markedStream(this.#text, markersOf(answerFormats));
    return this.#text.stream({ skipSpecialTokens });
  }
}

/** A stream that has begun already: some tokenizers leave out the blank that a text's first token begins with. */
function inText(tokenizer: TextTokenizer, stream: TextStream): TextStream {
  for (const id of Array.from(tokenizer.encode("a", { addSpecialTokens: false }))) stream.push(id);
  return stream;
}

function meanLogprob({ logprobs = [] }: Completion): number {
  return logprobs.reduce((sum, { logprob = 0 }) => sum + logprob, 0) / Math.max(1, logprobs.length);
}

/** Tells a streamer of the end, however it comes; its own trouble then is its request's, unless that failed before. */
async function endStreamer(streamer: TransformersStreamer, completion: Promise<Completion>): Promise<Completion> {
  const [outcome] = await Promise.allSettled([completion]);
  try {
    await streamer.end();
  } catch (error) {
    if (outcome.status === "fulfilled") throw error;
  }
  return completion;
}

/** A streamer tells of one text; several would come through it mixed. */
function checkStreamers(each: readonly GenerateOptions[]): void {
  const streamers = each.flatMap(({ streamer }) => streamer ?? []);
  if (new Set(streamers).size < streamers.length)
    throw new GenerateError("unsupported", "a streamer tells of one text: give each text one of its own, or onToken");
}

function isList<T>(options: T | readonly T[]): options is readonly T[] {
  return Array.isArray(options);
}

/** Several prompts, or one that is a list of ids? */
function isBatch(prompts: Prompt | readonly Prompt[]): prompts is readonly Prompt[] {
  return Array.isArray(prompts) && typeof prompts[0] !== "number" && typeof prompts[0] !== "bigint";
}
