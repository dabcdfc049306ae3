import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, until } from "../testing/demo-server.ts";
import { runTool, toolFolder } from "../testing/run-tool.ts";
import { templatedDemo } from "../testing/templated-demo.ts";

const EXAMPLES = Number(process.env.LLM_SCHEMATHESIS_EXAMPLES ?? 30);

const { folder, remove } = toolFolder();
/** Of what is made up, most is what a strict template refuses. */
const templated = templatedDemo();
let server: DemoServer;
beforeAll(async () => {
  // Short answers and few at once: what is made up asks for much.
  server = await demoServer({ limits: { answersOfOne: 8 } }, 8, { ctxLen: 96 }, templated.folder);
});
afterAll(async () => {
  await server.app.close();
  templated.remove();
  remove();
});

describe("schemathesis", () => {
  it(`finds no server error with ${EXAMPLES} examples of every operation`, { timeout: 3_000_000 }, async () => {
    const checks = ["not_a_server_error", "status_code_conformance", "content_type_conformance"];
    const options = ["--checks", checks.join(","), "--max-examples", String(EXAMPLES), "--seed", "1"];
    const said = await runTool(
      "schemathesis.cli",
      ["run", `${server.address}/openapi.json`, ...options, "--request-timeout", "120", "--workers", "4"],
      folder,
    );
    process.stdout.write(said.slice(-1500));
    expect(said).toMatch(/(\d+) generated, \1 passed/);
    await until(() => server.generator.scheduler.stats.running === 0);
    expect((await fetch(`${server.address}/health`)).status).toBe(200);
  });
});
