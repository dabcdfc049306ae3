import type { OptionTable } from "@llm/target";

/** What a user can say of a run on the CPU. None of it shapes the artefact: one serves any number of slots and any context. */
export interface CpuOptions {
  /** How many sequences are held at once. */
  readonly batchSize: number;
  /** Most tokens of a sequence; 0: as many as the model takes. */
  readonly ctxLen: number;
  /** 0: as many as this process may use. */
  readonly threads: number;
}

export const cpuOptions: OptionTable<CpuOptions> = {
  batchSize: {
    kind: "number",
    doc: "How many sequences are held at once.",
    default: 1,
    min: 1,
    shapes: false,
  },
  ctxLen: {
    kind: "number",
    doc: "Most tokens of a sequence, prompt included; 0: as many as the model takes. Memory is used as it fills.",
    default: 0,
    min: 0,
    shapes: false,
  },
  threads: {
    kind: "number",
    doc: "Threads; 0: as many cores as this process may use.",
    default: 0,
    min: 0,
    shapes: false,
  },
};
