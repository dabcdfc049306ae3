import type { Graph, Program } from "@llm/core-ir";
import type { WeightSource } from "@llm/tensor";
import type { ModelCard } from "../artefact.ts";
import type { Session } from "../session.ts";
import type { Target, ToolVersions } from "../target.ts";

/** What the checks are run on: a target with a model that it is to carry, or a session alone. */
export interface ConformanceContext {
  /** Opens a fresh session; every check closes its own. */
  open?(): Promise<Session>;
  /** What the model says after a history: the reference. Without it the checks that compare numbers are skipped. */
  readonly oracle?: (history: readonly number[]) => Float32Array | Promise<Float32Array>;
  /** How far logits may be from the oracle's: by so much, 1e-3 unless said, or by such a share of the largest of them. */
  readonly tolerance?: number;
  readonly relative?: number;
  /** How much they have to be alike, for formats in which single numbers are far off. */
  readonly cosine?: number;
  readonly build?: BuildContext;
  /** Makes the schedules of random calls; the same seed, the same calls. */
  readonly seed?: number;
  /** How many schedules of how many calls each: 8 of 20, unless a device is so slow that fewer have to do. */
  readonly schedules?: { readonly count: number; readonly steps: number };
  /** Stops the checks, also within one: between units, and between calls of a session. */
  readonly signal?: AbortSignal;
}

/** What the checks of building need. */
export interface BuildContext<O = unknown> {
  readonly target: Target<O>;
  readonly options: O;
  readonly graph: Graph;
  readonly program: Program; // after the target's pipeline
  readonly source: WeightSource;
  readonly model: ModelCard;
  readonly tools?: ToolVersions;
  /** An empty folder that may be filled; the caller removes it. */
  readonly folder: string;
  /** Stops what is being built. */
  readonly signal?: AbortSignal;
}

/** One thing that every target has to get right. Throws with one line when it doesn't. */
export interface Check {
  readonly name: string;
  readonly about: "session" | "build";
  /** It compares numbers, and says nothing without any. */
  readonly needsOracle?: boolean;
  run(context: ConformanceContext): Promise<void>;
}

/** Thrown by checks. */
export class ConformanceFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConformanceFailure";
  }
}

export function must(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new ConformanceFailure(message());
}

/** What `work` is refused with; fails when it isn't refused. */
export async function refusal(work: () => Promise<unknown>, what: string): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new ConformanceFailure(`${what} is not refused`);
}

/** A small generator of numbers for schedules: the same on every machine. */
export function dice(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

export async function withSession(
  context: ConformanceContext,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await context.open!();
  try {
    await work(session);
  } finally {
    await session.close();
  }
}
