import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "@llm/toolchain";
import type { Case, Measurement } from "../case.ts";

const NEW_TOKENS = 32;
const PROMPT = "def fibonacci(n):";

/** A checkpoint of one's own, such as a GGUF file whose weights have to be widened. */
const MODEL = process.env.BENCH_VERIFY_MODEL ?? "demo";

/** Everything from nothing to text: export, verification where asked for, 32 tokens. */
async function infer(verify: boolean): Promise<Measurement> {
  const cache = await mkdtemp(join(tmpdir(), "bench-verify-"));
  const cpu = process.cpuUsage();
  const began = performance.now();
  try {
    const generator = await Generator.fromPretrained(MODEL, {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      verify,
      sample: PROMPT,
    });
    await generator.generate(PROMPT, { maxNewTokens: NEW_TOKENS, ignoreEos: true, greedy: true });
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    await generator.close();
    return { seconds, cpu: (user + system) / 1e6 };
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** At most a fifth of the whole: with it, everything takes at most a quarter longer than without. */
const BAR = 1.25;

/** What proving an export costs whoever only wants text. */
export const verifyShare: Case = {
  name: "verify-share",
  title: `Verification inside infer, ${NEW_TOKENS} new tokens, ${MODEL} (BENCH_VERIFY_MODEL names another)`,
  metrics: [
    { key: "seconds", unit: "s", better: "lower", bar: BAR },
    { key: "cpu", unit: "s of processor time", better: "lower" },
  ],
  rounds: 9,
  baseline: "without",
  sides: async () =>
    [true, false].map((verify) => ({
      name: verify ? "with its verification" : "without",
      prepare: async () => void (await infer(verify)),
      run: () => infer(verify),
    })),
};
