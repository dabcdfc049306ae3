import type { MeshChoice } from "./mesh/plan.ts";

/** What a model will need on a device, known before anything is done. All figures in bytes. */
export interface Plan {
  readonly fits: boolean;
  readonly maxBatchSize: number;
  readonly devices: readonly DevicePlan[];
  /** One sentence: what decides. */
  readonly why: string;
  /** Where a mesh was asked for: it, or the one that was chosen, and what else there is. */
  readonly meshes?: MeshChoice;
}

export interface DevicePlan {
  readonly name: string;
  readonly total: number;
  readonly weights: number;
  readonly kv: number;
  readonly activations: number;
  /** The device's program, where that takes memory worth counting. */
  readonly instructions?: number;
  readonly reserve: number;
  readonly free: number; // total less the rest; negative when it doesn't fit
}
