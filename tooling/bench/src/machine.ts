import { cpus, loadavg } from "node:os";
import { cpuFeatures } from "@llm/runtime-native";
import { median } from "./statistics.ts";

/** What a reader must know of the machine to judge a figure. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly features: readonly string[];
  readonly memoryBandwidth: number; // bytes a second, read + write, one thread
  readonly load: number; // one-minute average
  readonly node: string;
}

const COPY_BYTES = 64 * 1024 * 1024; // past any cache of these machines
const COPY_ROUNDS = 5;

/** Copying 64 MB, several times: what the memory gives right now, other jobs included. */
function copyBandwidth(): number {
  const from = new Uint8Array(COPY_BYTES).fill(1);
  const to = new Uint8Array(COPY_BYTES);
  const rates: number[] = [];
  for (let round = 0; round <= COPY_ROUNDS; round++) {
    const start = performance.now();
    to.set(from);
    const seconds = (performance.now() - start) / 1000;
    if (round > 0) rates.push((2 * COPY_BYTES) / seconds); // the first touches the pages
  }
  return median(rates);
}

/** Reads the machine as it is at this moment. */
export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() || "unknown CPU",
    cores: cpus().length,
    features: cpuFeatures().features,
    memoryBandwidth: copyBandwidth(),
    load: loadavg()[0],
    node: process.version,
  };
}
