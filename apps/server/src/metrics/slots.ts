import type { Generator } from "@llm/toolchain";
import type { AnswerRecords } from "./answer-records.ts";

/** A place for an answer, as llama-server tells of it. */
export interface SlotReport {
  readonly id: number;
  /** The answer's number; -1 where nothing is under way. */
  readonly id_task: number;
  readonly n_ctx: number;
  readonly speculative: boolean;
  readonly is_processing: boolean;
  /** What was asked for; without a temperature it is the checkpoint's own. */
  readonly params?: { readonly n_predict: number; readonly temperature?: number; readonly stop: readonly string[] };
  readonly next_token?: { readonly has_next_token: boolean; readonly n_decoded: number; readonly n_remain: number };
}

const UNLIMITED = -1;

/** One report for each place of a model: those that are taken first, in the order they were asked for. */
export function slotsOf(generator: Generator, records: AnswerRecords): SlotReport[] {
  const { scheduler } = generator;
  const running = records.of(generator).slice(0, scheduler.stats.running);
  return Array.from({ length: scheduler.session.limits.slots }, (_, id) => {
    const common = { id, n_ctx: scheduler.room };
    const record = running[id];
    if (!record) return { ...common, id_task: -1, speculative: false, is_processing: false };
    const { maxNewTokens = UNLIMITED, temperature, stop = [], speculate = false } = record.ask.options;
    const stops = typeof stop === "string" ? [stop] : stop;
    const remain = maxNewTokens === UNLIMITED ? UNLIMITED : maxNewTokens - record.said;
    return {
      ...common,
      id_task: record.id,
      speculative: speculate,
      is_processing: true,
      params: { n_predict: maxNewTokens, ...(temperature === undefined ? {} : { temperature }), stop: stops },
      next_token: { has_next_token: true, n_decoded: record.said, n_remain: remain },
    };
  });
}
