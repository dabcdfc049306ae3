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
  readonly speed?: PlanSpeed;
  /** Numbers that it goes by and no file says: each has a name, and a target's options may say another value. */
  readonly assumptions?: readonly {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    readonly why: string;
  }[];
}

/** Tokens a second, of all sequences together. */
export interface PlanSpeed {
  readonly decode: Rate;
  readonly prefill: Rate;
}

export interface Rate {
  /** What the device's memory and arithmetic allow. */
  readonly most: number;
  /** What such models were seen to reach, where anybody published that. */
  readonly usual?: number;
  readonly by: "memory" | "compute";
}

export interface DevicePlan {
  readonly name: string;
  readonly total: number;
  readonly weights: number;
  readonly kv: number;
  /** What it computes with: room for numbers, and the device's program where that takes memory worth counting. */
  readonly activations: number;
  /** How much of `activations` the program is. */
  readonly instructions?: number;
  readonly reserve: number;
  /**
   * Tables that are only looked up in, where they are mapped from their file: so much of them may be resident at most, which the
   * system takes back when somebody needs the room. It is no part of the total.
   */
  readonly tables?: number;
  readonly free: number; // total less the rest; negative when it doesn't fit
}
