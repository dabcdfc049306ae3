import { defineConfig, type ViteUserConfig } from "vitest/config";

/** What every package's tests share; the JSON report is what the repo's summary adds up. */
export function testConfig(overrides: ViteUserConfig["test"] = {}): ViteUserConfig {
  return defineConfig({
    test: {
      include: ["src/**/*.test.ts"],
      reporters: ["default", ["json", { outputFile: ".test/results.json" }]],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...overrides,
    },
  });
}
