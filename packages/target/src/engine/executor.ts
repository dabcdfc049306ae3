import type { WeightSource } from "@llm/tensor";
import type { Target, Unit } from "../target.ts";

/** One unit, with all that is needed to make it. */
export interface UnitJob {
  readonly target: Target;
  readonly unit: Unit;
  readonly folder: string; // empty
  readonly inputs: ReadonlyMap<string, string>; // folders of the units it comes after
  readonly source: WeightSource;
  readonly signal: AbortSignal;
  progress(done: number, total: number, note?: string): void;
}

export interface UnitOutcome {
  /** File → the checkpoint's file it links to. */
  readonly linked: ReadonlyMap<string, string>;
  readonly peakRssBytes: number;
  /** The most that the folder held at once, if it was more than in the end. */
  readonly peakDiskBytes: number;
}

/** Where units are made: here, in a worker, on another machine. */
export interface Executor {
  run(job: UnitJob): Promise<UnitOutcome>;
}

/** How often this process's memory is looked at while a unit is made. */
const SAMPLE_MS = 25;

/** Makes units in this process. */
export const localExecutor: Executor = {
  async run({ target, unit, folder, inputs, source, signal, progress }) {
    const linked = new Map<string, string>();
    let peak = process.memoryUsage.rss();
    let peakDiskBytes = 0;
    const look = (): void => {
      peak = Math.max(peak, process.memoryUsage.rss());
    };
    const timer = setInterval(look, SAMPLE_MS);
    timer.unref();
    try {
      await target.build(unit, {
        folder,
        source,
        signal,
        progress: (done, total, note) => {
          look();
          progress(done, total, note);
        },
        input: (id) => {
          const path = inputs.get(id);
          if (path === undefined) throw new Error(`unit ${unit.id} asks for ${id}, which it doesn't come after`);
          return path;
        },
        linked: (file, origin) => void linked.set(file, origin),
        measured: (memory, disk = 0) => {
          peak = Math.max(peak, memory);
          peakDiskBytes = Math.max(peakDiskBytes, disk);
        },
      });
    } finally {
      clearInterval(timer);
      look();
    }
    return { linked, peakRssBytes: peak, peakDiskBytes };
  },
};
