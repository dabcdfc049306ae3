import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "@llm/toolchain";
import type { Case } from "../case.ts";

const NEW_TOKENS = 32;
const PROMPT = "def fibonacci(n):";

/** A checkpoint of one's own, such as a GGUF file whose weights have to be widened. */
const MODEL = process.env.BENCH_VERIFY_MODEL ?? "demo";

/** Everything from nothing: export, verification, text. Seconds of the verification, and of the whole. */
async function infer(): Promise<{ readonly verify: number; readonly whole: number }> {
  const cache = await mkdtemp(join(tmpdir(), "bench-verify-"));
  const began = performance.now();
  try {
    const generator = await Generator.fromPretrained(MODEL, {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      verify: true,
      sample: PROMPT,
    });
    await generator.generate(PROMPT, { maxNewTokens: NEW_TOKENS, ignoreEos: true, greedy: true });
    const whole = (performance.now() - began) / 1000;
    const { stages } = generator.runnable;
    await generator.close();
    return { verify: stages.find(({ name }) => name === "verify")!.seconds, whole };
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** What proving an export costs whoever only wants text. */
export const verifyShare: Case = {
  name: "verify-share",
  title: `Verification inside infer, ${NEW_TOKENS} new tokens, ${MODEL} (BENCH_VERIFY_MODEL names another)`,
  metrics: [{ key: "seconds", unit: "s", better: "lower", bar: 0.2 }],
  rounds: 5,
  baseline: "all of infer",
  sides: async () => {
    let last = { verify: 0, whole: 0 };
    return [
      {
        name: "its verification",
        prepare: async () => void (await infer()),
        run: async () => {
          last = await infer();
          return { seconds: last.verify };
        },
      },
      { name: "all of infer", run: async () => ({ seconds: last.whole }) },
    ];
  },
};
