import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, endless, holdSteps, post, until } from "./testing/demo-server.ts";
import { rawRequest } from "./testing/raw-request.ts";

let server: DemoServer;
afterEach(() => server.app.close());

const body = (i: number, stream: boolean): string =>
  JSON.stringify({ model: "demo", prompt: `value ${i} =`, max_tokens: 24, temperature: 0, stream });

const conversation = { model: "demo", max_tokens: 1, messages: [{ role: "user", content: "Hi" }] };

/** The text of an answer, whole or streamed; undefined where its stream ends without its last word. */
async function textOf(response: Response, stream: boolean): Promise<string | undefined> {
  if (!stream) return ((await response.json()) as { choices: { text: string }[] }).choices[0].text;
  const events = (await response.text()).split("\n\n").filter(Boolean);
  if (events.at(-1) !== "data: [DONE]") return undefined;
  return events
    .slice(0, -1)
    .map((event) => JSON.parse(event.slice("data: ".length)).choices[0].text)
    .join("");
}

describe("a server that is told to stop under load", () => {
  it("finishes every answer that it took on, waiting ones too, and takes on no more", async () => {
    server = await demoServer({}, 2);
    const cases = Array.from({ length: 12 }, (_, i) => ({ i, stream: i % 2 === 0 }));
    const alone: (string | undefined)[] = [];
    for (const { i } of cases)
      alone.push(await textOf(await post(server.address, "/v1/completions", body(i, false)), false));
    const release = holdSteps(server.generator);
    const asked = cases.map(async ({ i, stream }) =>
      textOf(await post(server.address, "/v1/completions", body(i, stream)), stream),
    );
    await until(() => server.generator.scheduler.stats.running + server.generator.scheduler.stats.waiting === 12);
    const closed = server.app.close();
    const late = await post(server.address, "/v1/completions", body(0, false));
    expect([late.status, late.headers.has("retry-after"), late.headers.has("x-request-id")]).toEqual([503, true, true]);
    expect(await late.json()).toEqual({
      error: { message: "The server is stopping", type: "server_error", param: null, code: "unavailable" },
    });
    const message = await post(server.address, "/v1/messages", JSON.stringify(conversation));
    expect(await message.json()).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
    expect((await fetch(`${server.address}/ready`)).status).toBe(503);
    release();
    expect(await Promise.all(asked)).toEqual(alone);
    await closed;
  });

  it("waits as long as it may, which is longer than frameworks have patience for", async () => {
    const asked = Promise.withResolvers<void>();
    const open = async (): Promise<DemoServer["generator"]> => {
      asked.resolve();
      await setTimeout(11_000);
      return server.generator;
    };
    const demo = { id: "demo", open: async () => server.generator }; // is opened at the start, others when asked for
    server = await demoServer({ models: [demo, { id: "slow", open }], drainMs: 30_000 });
    const answer = post(server.address, "/tokenize", JSON.stringify({ model: "slow", content: "a b" }));
    await asked.promise;
    await Promise.all([server.app.close(), expect(answer).resolves.toMatchObject({ status: 200 })]);
  });

  it("tells those who wait for a model that takes longer than it may, and gives up on opening it", async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const open = (signal: AbortSignal): Promise<never> => {
      asked.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const lines: string[] = [];
    const logger = { stream: { write: (line: string) => void lines.push(line) } };
    const demo = { id: "demo", open: async () => server.generator };
    server = await demoServer({ models: [demo, { id: "slow", open }], drainMs: 50, logger });
    const answer = post(server.address, "/tokenize", JSON.stringify({ model: "slow", content: "a b" }));
    const signal = await asked.promise;
    expect(signal.aborted).toBe(false);
    const closed = server.app.close();
    const response = await answer;
    expect([response.status, response.headers.has("retry-after")]).toEqual([503, true]);
    expect(await response.json()).toMatchObject({ error: { message: "The server is stopping" } });
    await closed;
    expect(signal.aborted).toBe(true);
    expect(lines.join("")).not.toMatch(/stack|"level":50/);
  });

  it("ends what takes longer than it may, with a word about why", async () => {
    server = await demoServer({ drainMs: 50 }, 2);
    const streamed = post(server.address, "/v1/completions", endless({ stream: true, max_tokens: 480, n: 8 }));
    const whole = post(server.address, "/v1/completions", endless({ max_tokens: 480, n: 8 }));
    await until(() => server.generator.scheduler.stats.steps > 5);
    const began = performance.now();
    await server.app.close();
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await (await streamed).text()).toMatch(/"message":"The server is stopping"[^\n]*\n\n$/);
    const response = await whole;
    expect([response.status, response.headers.has("retry-after")]).toEqual([503, true]);
  });

  it("doesn't wait for those who never come to ask", async () => {
    server = await demoServer({ drainMs: 50 });
    const begun = ["POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{", "GET /he", ""];
    let connected = 0;
    server.app.server.on("connection", () => connected++);
    const heard = begun.map((text) => rawRequest(server.port, [text], { ms: 100_000 }));
    await until(() => connected === begun.length);
    const began = performance.now();
    await server.app.close();
    await Promise.all(heard);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
