import type { Limits } from "@llm/target";
import { type PlannedRow, rowOf } from "./plan-step.ts";
import type { Sequence } from "./sequence.ts";

/** Fewest steps between two starts of a batch for the sake of those that wait. */
const STEPS_BETWEEN_STARTS = 16;

/**
 * When rows must start and step together: a batch goes on until its shared columns are used up or half of its slots are
 * free while others wait; then all that are left start again with what they have, and others with them.
 */
export class Lockstep {
  readonly #limits: Limits;
  #columns = 0;
  #steps = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether everybody should start anew before the next step. */
  mustStart(running: readonly Sequence[], waiting: number): boolean {
    if (running.length === 0 || running.some(({ held }) => held === 0)) return true;
    if (this.#columns >= this.#limits.context) return true;
    const free = this.#limits.slots - running.length;
    return waiting > 0 && free >= running.length && this.#steps >= STEPS_BETWEEN_STARTS;
  }

  plan(running: readonly Sequence[]): PlannedRow[] {
    const rows = running.map((sequence) => rowOf(sequence, sequence.pending, this.#limits));
    const width = rows.reduce((most, { row }) => Math.max(most, row.tokens.length), 0);
    const starts = running.every(({ held }) => held === 0);
    this.#columns = starts ? width : this.#columns + width;
    this.#steps = starts ? 1 : this.#steps + 1;
    return rows;
  }
}
