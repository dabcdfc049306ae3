/** `node verify-share-process.ts MODEL verify|plain`: everything from nothing to 32 tokens, as `llm infer` does it; prints processor seconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "@llm/toolchain";

const PROMPT = "def fibonacci(n):";
const [model, how] = process.argv.slice(2);
const cache = await mkdtemp(join(tmpdir(), "bench-verify-"));
try {
  const generator = await Generator.fromPretrained(model, {
    env: { ...process.env, XDG_CACHE_HOME: cache },
    verify: how === "verify",
    sample: PROMPT,
  });
  await generator.generate(PROMPT, { maxNewTokens: 32, ignoreEos: true, greedy: true });
  await generator.close();
} finally {
  await rm(cache, { recursive: true, force: true });
}
const { user, system } = process.cpuUsage();
console.log((user + system) / 1e6);
