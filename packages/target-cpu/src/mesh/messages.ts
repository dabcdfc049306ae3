import type { OrtOptions, PanelsEvent } from "@llm/runtime-native/ort";
import type { ForkMove, Limits, Row, RowResult, SessionErrorCode, TargetErrorCode } from "@llm/target";
import type { MeshMemory } from "./exchange.ts";
import type { MeshSchedule } from "./schedule.ts";

/** What a worker is started with. */
export interface WorkerSetup {
  readonly folder: string;
  readonly schedule: MeshSchedule;
  /** Index into the schedule's places. */
  readonly place: number;
  readonly memory: MeshMemory;
  readonly threads: number;
  /** How each net is loaded. */
  readonly nets: Readonly<Record<string, OrtOptions>>;
  readonly width: number;
  readonly vocab: number;
  readonly slots: number;
  readonly context: number;
  readonly owner: string;
}

/** What a worker is asked; every worker of a replica is asked the same. */
export type Question =
  | { readonly ask: "step"; readonly rows: readonly Row[] }
  | { readonly ask: "trim"; readonly slot: number; readonly length: number }
  | { readonly ask: "fork"; readonly moves: readonly ForkMove[] }
  | { readonly ask: "save"; readonly slot: number }
  | { readonly ask: "restore"; readonly slot: number; readonly saved: Uint8Array }
  | { readonly ask: "usage" }
  | { readonly ask: "close" };

/** What a worker has and has been told. */
export interface ShardUsage {
  readonly rank: number;
  readonly stage: number;
  /** Room for keys and values. */
  readonly cacheBytes: number;
  /** Bytes that came from other workers since it was started. */
  readonly receivedBytes: number;
}

/** What each question is answered with. */
export interface Answers {
  readonly step: readonly RowResult[];
  readonly trim: undefined;
  readonly fork: undefined;
  readonly save: Uint8Array;
  readonly restore: number;
  readonly usage: ShardUsage;
  readonly close: undefined;
}

export type Reply =
  | { readonly kind: "ready"; readonly limits: Limits }
  /** While it is opened: what that takes its time for. */
  | { readonly kind: "panels"; readonly event: PanelsEvent }
  | { readonly kind: "answer"; readonly value: Answers[keyof Answers] }
  | {
      readonly kind: "error";
      readonly code: SessionErrorCode;
      readonly message: string;
      /** What kept it from being opened at all, where that is known. */
      readonly cause?: TargetErrorCode;
      /** It only stopped because another did. */
      readonly follows: boolean;
      /** The session refused and nothing has changed; else nobody knows what the slots hold. */
      readonly refused: boolean;
    };
