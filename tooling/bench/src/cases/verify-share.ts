import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case, Measurement } from "../case.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("./verify-share-process.ts", import.meta.url));

/** A checkpoint of one's own, such as a GGUF file whose weights have to be widened. */
const MODEL = process.env.BENCH_VERIFY_MODEL ?? "demo";

/** A process of its own each time, as whoever types `llm infer` has one. */
async function infer(how: "verify" | "plain"): Promise<Measurement> {
  const began = performance.now();
  const { stdout } = await run(process.execPath, [script, MODEL, how]);
  return { seconds: (performance.now() - began) / 1000, cpu: Number(stdout) };
}

/** At most a fifth of the whole: with it, everything takes at most a quarter longer than without. */
const BAR = 1.25;

/** What proving an export costs whoever only wants text. */
export const verifyShare: Case = {
  name: "verify-share",
  title: `Verification inside infer, 32 new tokens, ${MODEL} (BENCH_VERIFY_MODEL names another)`,
  metrics: [
    { key: "seconds", unit: "s", better: "lower", bar: BAR },
    { key: "cpu", unit: "s of processor time", better: "lower", bar: BAR },
  ],
  rounds: 9,
  baseline: "without",
  sides: async () => [
    { name: "with its verification", run: () => infer("verify") },
    { name: "without", run: () => infer("plain") },
  ],
};
