import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Completion } from "@llm/generate";
import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";
import type { ModelHost } from "../engine/model-host.ts";
import { type AnswerRecord, AnswerRecords } from "./answer-records.ts";
import { exposition, type Labels, type MetricFamily } from "./exposition.ts";
import { Counter, Histogram } from "./series.ts";

// The bounds that charts of these metrics were drawn for.
const FIRST_TOKEN_S = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
];
const BETWEEN_TOKENS_S = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const WHOLE_S = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];
const TOKENS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

/** How often the loop is looked at; what is measured includes it. */
const LOOP_MS = 10;

/** Why an answer never ended: its client left or the server stopped, the request made no sense, or something broke. */
export type FailureReason = "abort" | "refused" | "error";

/** What the server counts, under the names that vLLM's users chart already. */
export class Metrics {
  /** Answers on their way. */
  readonly records = new AnswerRecords();
  readonly #firstToken = new Histogram(
    "vllm:time_to_first_token_seconds",
    "From asking to the first token",
    FIRST_TOKEN_S,
  );
  readonly #queued = new Histogram("vllm:request_queue_time_seconds", "From asking to having a slot", WHOLE_S);
  readonly #between = new Histogram("vllm:inter_token_latency_seconds", "From one token to the next", BETWEEN_TOKENS_S);
  readonly #whole = new Histogram("vllm:e2e_request_latency_seconds", "From asking to the last token", WHOLE_S);
  readonly #promptSize = new Histogram("vllm:request_prompt_tokens", "Tokens of a prompt", TOKENS);
  readonly #answerSize = new Histogram("vllm:request_generation_tokens", "Tokens of an answer", TOKENS);
  readonly #promptTokens = new Counter("vllm:prompt_tokens_total", "Tokens of prompts");
  readonly #saidTokens = new Counter("vllm:generation_tokens_total", "Tokens generated");
  readonly #queried = new Counter(
    "vllm:prefix_cache_queries_total",
    "Tokens of prompts that were looked up in the cache",
  );
  readonly #hits = new Counter("vllm:prefix_cache_hits_total", "Tokens of prompts that were found in the cache");
  readonly #done = new Counter("vllm:request_success_total", "Answers, by how they ended");
  readonly #failed = new Counter("llm:request_failure_total", "Answers that never ended, by why");
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_MS });

  constructor() {
    this.#loop.enable();
  }

  /** The same asks, watched: every token and every end is counted. */
  watch(model: string, generator: Generator, asks: readonly Ask[]): readonly Ask[] {
    const labels = { model_name: model };
    const heard = this.#hearing(labels);
    return asks.map((ask) => {
      const record = this.records.begin(model, generator, ask);
      return {
        ...ask,
        options: {
          ...ask.options,
          onToken: (token, piece) => {
            ask.options.onToken?.(token, piece);
            heard(record);
          },
        },
        onEnd: (completion) => {
          this.records.end(record);
          if (completion) this.#ended(labels, record, completion);
        },
      } satisfies Ask;
    });
  }

  /** Notes texts that are only read; gives what to call when they are, or aren't to be any more. */
  reading(model: string, generator: Generator, texts: readonly (readonly number[])[]): (done: boolean) => void {
    const labels = { model_name: model };
    const records = texts.map((prompt) =>
      this.records.begin(model, generator, { prompt, options: { maxNewTokens: 0 } }),
    );
    return (done) => {
      for (const [i, record] of records.entries()) {
        this.records.end(record);
        if (!done) continue;
        this.#whole.observe(labels, (performance.now() - record.began) / 1000);
        this.#promptSize.observe(labels, texts[i].length);
        this.#promptTokens.add(labels, texts[i].length);
        this.#done.add({ ...labels, finished_reason: "stop" });
      }
    };
  }

  /** Notes answers that come to nothing. */
  failed(model: string, answers: number, reason: FailureReason): void {
    this.#failed.add({ model_name: model, reason }, answers);
  }

  /** Everything as Prometheus reads it. */
  text(host: ModelHost): string {
    const counted = [
      ...[this.#firstToken, this.#queued, this.#between, this.#whole, this.#promptSize, this.#answerSize],
      ...[this.#promptTokens, this.#saidTokens, this.#queried, this.#hits, this.#done, this.#failed],
    ].map(({ family }) => family);
    return exposition([...gauges(host), ...counted, this.#loopDelay()]);
  }

  close(): void {
    this.#loop.disable();
  }

  /** What is told of every token: the one thing here that is done often. */
  #hearing(labels: Labels): (record: AnswerRecord) => void {
    const [first, between, count] = [
      this.#firstToken.of(labels),
      this.#between.of(labels),
      this.#saidTokens.of(labels),
    ];
    return (record) => {
      const now = performance.now();
      (record.said === 0 ? first : between)((now - record.last) / 1000);
      record.last = now;
      record.said++;
      count(1);
    };
  }

  #ended(labels: Labels, record: AnswerRecord, { usage, finishReason, timings }: Completion): void {
    this.#queued.observe(labels, (timings.queuedMs ?? 0) / 1000);
    this.#whole.observe(labels, (performance.now() - record.began) / 1000);
    this.#promptSize.observe(labels, usage.promptTokens);
    this.#answerSize.observe(labels, usage.completionTokens);
    this.#promptTokens.add(labels, usage.promptTokens);
    this.#queried.add(labels, usage.promptTokens);
    this.#hits.add(labels, usage.cachedTokens);
    this.#done.add({ ...labels, finished_reason: finishReason });
  }

  #loopDelay(): MetricFamily {
    const samples = [50, 99].map((percentile) => ({
      labels: { quantile: String(percentile / 100) },
      value: Math.max(0, this.#loop.percentile(percentile) / 1e9 - LOOP_MS / 1000),
    }));
    return {
      name: "nodejs_eventloop_lag_seconds",
      help: "How late the server's own loop was",
      type: "gauge",
      samples,
    };
  }
}

function gauges(host: ModelHost): MetricFamily[] {
  const of = (name: string, help: string, read: (generator: Generator) => number): MetricFamily => ({
    name,
    help,
    type: "gauge",
    samples: host.loaded.map(({ id, generator }) => ({ labels: { model_name: id }, value: read(generator) })),
  });
  const counter = (family: MetricFamily): MetricFamily => ({ ...family, type: "counter" });
  return [
    of("vllm:num_requests_running", "Answers under way", ({ scheduler }) => scheduler.stats.running),
    of("vllm:num_requests_waiting", "Answers that wait for a slot", ({ scheduler }) => scheduler.stats.waiting),
    of(
      "vllm:kv_cache_usage_perc",
      "Share of the cache that holds tokens; 1 is all of it",
      ({ scheduler }) => scheduler.stats.heldTokens / scheduler.session.limits.cacheTokens,
    ),
    counter(
      of("vllm:num_preemptions_total", "Answers put off for others", ({ scheduler }) => scheduler.stats.preemptions),
    ),
  ];
}
