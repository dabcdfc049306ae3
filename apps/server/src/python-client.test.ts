import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, until } from "./testing/demo-server.ts";

const run = promisify(execFile);
const python = process.env.LLM_PYTHON || "python3";
const missing =
  process.env.LLM_TEST_REQUIRE_ALL !== "1" &&
  (await run(python, ["-c", "import openai"]).then(
    () => false,
    () => true,
  ));

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer();
});
afterAll(() => server.app.close());

describe.skipIf(missing)(
  "openai for Python (pip install -r tooling/python-requirements.txt; LLM_PYTHON names it)",
  () => {
    it("gets text, streams, calls, objects, vectors and errors, and may leave", async () => {
      const script = fileURLToPath(new URL("./testing/openai_client.py", import.meta.url));
      const { stdout } = await run(python, [script, server.address]);
      const got = JSON.parse(stdout);
      expect(got.whole.length).toBeGreaterThan(10);
      expect(got.streamed).toBe(got.whole);
      expect(got).toMatchObject({
        logprobs: 24,
        usage: 24,
        call: { a: expect.any(Number) },
        object: { a: expect.any(Number) },
        sent_back: 8,
        missing: "model_not_found",
        refused: "reasoning_effort",
      });
      expect(got.response.length).toBeGreaterThan(0);
      expect(got.vectors).toEqual([got.vectors[0], got.vectors[0]]);
      await until(() => server.generator.scheduler.stats.running === 0);
      const metrics = await (await fetch(`${server.address}/metrics`)).text();
      expect(metrics).toContain('llm:request_failure_total{model_name="demo",reason="abort"} 1\n');
    });
  },
);
