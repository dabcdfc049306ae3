import { ENDPOINTS } from "@llm/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, endless, post, until } from "./testing/demo-server.ts";

let server: DemoServer;
beforeAll(async () => {
  server = await demoServer();
});
afterAll(() => server.app.close());

const text = async (path: string): Promise<string> => (await fetch(server.address + path)).text();

/** The series of Prometheus's text, by name and labels. */
async function series(): Promise<Map<string, number>> {
  const lines = (await text("/metrics")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const demo = '{model_name="demo"}';

describe("/metrics", () => {
  it("counts tokens, answers and what was found again", async () => {
    const before = await series();
    const grown = (after: Map<string, number>, name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const ask = { model: "demo", prompt: "def fibonacci(n):", max_tokens: 5, ignore_eos: true };
    const answers = [];
    for (const stream of [false, false, true]) {
      const response = await post(server.address, "/v1/completions", JSON.stringify({ ...ask, stream }));
      answers.push(stream ? await response.text() : await response.json());
    }
    const { usage } = answers[1] as {
      usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
    const after = await series();
    expect(grown(after, `vllm:generation_tokens_total${demo}`)).toBe(15);
    expect(grown(after, `vllm:prompt_tokens_total${demo}`)).toBe(3 * usage.prompt_tokens);
    expect(grown(after, `vllm:prefix_cache_hits_total${demo}`)).toBe(2 * usage.prompt_tokens_details.cached_tokens);
    expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(0);
    expect(grown(after, 'vllm:request_success_total{model_name="demo",finished_reason="length"}')).toBe(3);
    expect(grown(after, `vllm:time_to_first_token_seconds_count${demo}`)).toBe(3);
    expect(grown(after, `vllm:request_queue_time_seconds_count${demo}`)).toBe(3);
    expect(grown(after, `vllm:inter_token_latency_seconds_count${demo}`)).toBe(12);
    expect(grown(after, `vllm:e2e_request_latency_seconds_count${demo}`)).toBe(3);
    expect(after.get(`vllm:kv_cache_usage_perc${demo}`)).toBeGreaterThan(0);
  });

  it("tells requests that make no sense from what the server fails in", async () => {
    const body = JSON.stringify({ model: "demo", prompt: "word ".repeat(5000) });
    expect((await post(server.address, "/v1/completions", body)).status).toBe(400);
    const failures = [...(await series())].filter(([name]) => name.startsWith("llm:request_failure_total"));
    expect(failures).toEqual([['llm:request_failure_total{model_name="demo",reason="refused"}', 1]]);
  });

  it("is a histogram whose buckets hold one another", async () => {
    const buckets = [...(await series())].filter(([name]) =>
      name.startsWith("vllm:e2e_request_latency_seconds_bucket"),
    );
    const values = buckets.map(([, value]) => value);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(values.at(-1)).toBe((await series()).get(`vllm:e2e_request_latency_seconds_count${demo}`));
    expect(buckets.at(-1)![0]).toContain('le="+Inf"');
  });

  it("shows what is under way and what waits, as /slots does, and who left", async () => {
    const leave = new AbortController();
    const asked = post(server.address, "/v1/completions", endless({ n: 6, stop: ["never"] }), { signal: leave.signal });
    asked.catch(() => {});
    await until(() => server.generator.scheduler.stats.running === 4);
    const now = await series();
    expect([now.get(`vllm:num_requests_running${demo}`), now.get(`vllm:num_requests_waiting${demo}`)]).toEqual([4, 2]);
    const slots = JSON.parse(await text("/slots")) as Record<string, unknown>[];
    expect(slots.map(({ is_processing }) => is_processing)).toEqual([true, true, true, true]);
    expect(slots[0]).toMatchObject({
      id: 0,
      params: { n_predict: 400, stop: ["never"] },
      next_token: { has_next_token: true },
    });
    leave.abort();
    await until(() => server.generator.scheduler.stats.running === 0);
    expect(JSON.parse(await text("/slots"))).toMatchObject(Array(4).fill({ is_processing: false, id_task: -1 }));
    expect((await series()).get('llm:request_failure_total{model_name="demo",reason="abort"}')).toBe(6);
  });
});

describe("the description of the server", () => {
  it("has every endpoint that there is, and only those", async () => {
    const document = JSON.parse(await text("/openapi.json"));
    for (const { method, path } of ENDPOINTS) {
      expect(document.paths[path][method].responses).toBeDefined();
      const url = path.replace("{model}", "demo");
      expect(server.app.hasRoute({ method: method.toUpperCase() as "GET", url: path.replace("{model}", "*") })).toBe(
        true,
      );
      if (method === "get") expect([200, 503]).toContain((await fetch(server.address + url)).status);
    }
  });

  it("says how to send a key, and which questions there are behind an address", async () => {
    const { paths, components, security } = JSON.parse(await text("/openapi.json"));
    const schemes = security.map((each: object) => components.securitySchemes[Object.keys(each)[0]!]);
    expect(schemes).toEqual([
      { type: "http", scheme: "bearer" },
      { type: "apiKey", in: "header", name: "x-api-key" },
    ]);
    expect(paths["/slots"].get.parameters).toMatchObject([{ name: "model", in: "query", schema: { type: "string" } }]);
    expect((await fetch(`${server.address}/slots?model=demo`)).status).toBe(200);
    expect((await fetch(`${server.address}/slots?model=other`)).status).toBe(404);
  });

  it("names each field with what it may be", async () => {
    const { paths } = JSON.parse(await text("/openapi.json"));
    const { properties, required, additionalProperties } =
      paths["/v1/chat/completions"].post.requestBody.content["application/json"].schema;
    expect(required).toEqual(["messages"]);
    expect(additionalProperties).toBe(false);
    expect(properties.temperature.anyOf).toContainEqual({ type: "number", minimum: 0, maximum: 2 });
  });

  it("is a page too, that fetches nothing and runs nothing", async () => {
    const response = await fetch(`${server.address}/docs`);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const page = await response.text();
    for (const { path } of ENDPOINTS) expect(page).toContain(path);
    expect(page).not.toMatch(/<script|https?:|src=/);
  });
});
