import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case, Measurement, Side } from "../case.ts";
import { makeCheckpoint } from "./sparse-checkpoint.ts";

const script = fileURLToPath(new URL("./bm1684x-process.ts", import.meta.url));
const run = promisify(execFile);

/** One block of Wizardcoder-15B: 379 million weights. */
const BLOCK = {
  model_type: "gpt_bigcode",
  n_embd: 6144,
  n_head: 48,
  n_inner: 24_576,
  n_layer: 1,
  n_positions: 8192,
  vocab_size: 1024,
};

function side(name: string, mode: string, detail: string): Side {
  let folder = "";
  return {
    name,
    detail,
    async prepare() {
      folder = await mkdtemp(join(tmpdir(), "bench-bm1684x-"));
      makeCheckpoint(join(folder, "checkpoint"), BLOCK, "dense");
    },
    async run(): Promise<Measurement> {
      const scratch = join(folder, "scratch");
      mkdirSync(scratch);
      try {
        const { stdout } = await run(process.execPath, [script, join(folder, "checkpoint"), scratch, mode]);
        return JSON.parse(stdout) as Measurement;
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
    async close() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The claim: 40 blocks of a 15B model in at most 40 minutes of one core, 3.5 GB for each that works, 5 GB of scratch disk. */
export const bm1684x: Case = {
  name: "bm1684x",
  title: "One block pair of a 15B model for BM1684X: 6144, 48 heads, multi-query, 24576, length 512",
  metrics: [
    { key: "minutesFor40", unit: "min", better: "lower", limit: 40 },
    { key: "cpu", unit: "s", better: "lower" },
    { key: "seconds", unit: "s", better: "lower" },
    { key: "compiler", unit: "GB", better: "lower", limit: 3.5 },
    { key: "own", unit: "GB", better: "lower" },
    { key: "disk", unit: "GB", better: "lower", limit: 5 },
    { key: "bmodel", unit: "MB", better: "lower" },
  ],
  rounds: 1,
  baseline: "F16",
  sides: async () => [
    side("int4", "int4", "codes made here: the compiler reads what it will write"),
    side("F16", "F16", "arrays in float32, the only kind of float that the compiler reads"),
  ],
};
