import type { Graph } from "@llm/core-ir";
import type { WeightSource } from "@llm/tensor";
import type { CpuOptions } from "../options.ts";
import { spareShare } from "./memory.ts";
import { planCpu } from "./plan.ts";

/** How a checkpoint has its weights, where that is known. */
export type Stored = Pick<WeightSource, "get"> | undefined;

/** What a model takes with some options, all devices together, in bytes. */
export interface Need {
  readonly fits: boolean;
  /** Whether the system and other programs keep what they need, too: what is chosen for somebody leaves them that. */
  readonly fitsWell: boolean;
  readonly weights: number;
  readonly bytes: number;
  /** What there is. */
  readonly memory: number;
}

export function needOf(model: Graph, options: CpuOptions, source: Stored): Need {
  const { fits, devices } = planCpu(model, options, source);
  const sum = (part: (device: (typeof devices)[number]) => number) => devices.reduce((all, one) => all + part(one), 0);
  return {
    fits,
    fitsWell: devices.every(({ free, total }) => free >= spareShare() * total),
    weights: sum(({ weights }) => weights),
    bytes: sum(({ total, free }) => total - free),
    memory: sum(({ total }) => total),
  };
}

/** The most tokens of a sequence that a model takes. */
export function longestOf(model: Graph): number {
  return model.dims.context?.max ?? 1;
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
