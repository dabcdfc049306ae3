import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Each worker may compute on all cores, and holds a model or two. */
const WORKERS = Math.max(1, Math.min(4, availableParallelism() - 1));

/** Servers that tests start themselves aren't asked through a proxy. */
const DIRECT = ["127.0.0.1", "localhost", "::1", process.env.NO_PROXY ?? process.env.no_proxy]
  .filter(Boolean)
  .join(",");

/** What every package's tests share; the JSON report is what the repo's summary adds up. */
export function testConfig(overrides: ViteUserConfig["test"] = {}): ViteUserConfig {
  return defineConfig({
    test: {
      include: ["src/**/*.test.ts"],
      reporters: ["default", ["json", { outputFile: ".test/results.json" }]],
      setupFiles: existsSync("node_modules/fast-check") ? [new URL("vitest.setup.ts", import.meta.url).pathname] : [],
      env: { LLM_TEST_SEED: process.env.LLM_TEST_SEED ?? "20261121", NO_PROXY: DIRECT, no_proxy: DIRECT },
      maxWorkers: WORKERS,
      // No test waits for it to pass: it ends what hangs, also on a slow machine.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      ...overrides,
    },
  });
}
