import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { main } from "../main.ts";
import { testHome } from "../testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

/** The command with its output piped, interrupted as soon as a line of a check is seen. */
async function interrupted(...more: readonly string[]) {
  const stop = new AbortController();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const shown = { stdout: "", stderr: "" };
  for (const [name, stream] of Object.entries({ stdout, stderr }) as ["stdout" | "stderr", PassThrough][])
    stream.on("data", (data: Buffer) => {
      shown[name] += String(data);
      if (String(data).includes("\u2713")) stop.abort();
    });
  const code = await main(["conformance", "demo", "--target", "null", ...more], {
    streams: Object.assign(new EventEmitter(), { stdin, stdout, stderr }) as never,
    env: { HOME: home, XDG_CACHE_HOME: home, HF_HUB_OFFLINE: "1" },
    signal: stop.signal,
  });
  return { code, ...shown };
}

const FIRST = /^\u2713 a plan's parts add up.*\n$/;

test("every check is told as it ends, and an interruption says what passed and writes no report", async () => {
  const report = join(home, "report.json");
  const { code, stdout, stderr } = await interrupted("--report", report);
  expect(code).toBe(130);
  expect(stdout).toMatch(FIRST);
  expect(stderr).toMatch(/stopped after 1 of \d+ checks: 1 passed, 0 failed, 0 skipped\nllm: interrupted\n$/);
  expect(existsSync(report)).toBe(false);
});

test("with --json the checks are told on stderr", async () => {
  const { code, stdout, stderr } = await interrupted("--json");
  expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  expect(stderr).toContain("\u2713 a plan's parts add up");
});
