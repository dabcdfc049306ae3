import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { DeviceFailedError } from "@llm/generate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "./server.ts";
import { type DemoServer, demoServer, endless, post, stepsUntilIdle, until } from "./testing/demo-server.ts";
import { rawRequest } from "./testing/raw-request.ts";

let server: DemoServer;
let hurried: DemoServer;
beforeAll(async () => {
  server = await demoServer({ drainMs: 300 });
  hurried = await demoServer({ connections: { headersMs: 300, requestMs: 600 } }, 1);
});
afterAll(() => Promise.all([server.app.close(), hurried.app.close()]));

const running = (): number => server.generator.scheduler.stats.running;

/** A request as it goes over the wire. */
function request(body: string, headers: readonly string[] = []): string {
  const head = ["POST /v1/completions HTTP/1.1", "host: x", "content-type: application/json", ...headers];
  return `${head.join("\r\n")}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

/** The body of an answer, which every error has in the same shape. */
const errorOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)).error;
const anError = { message: expect.any(String), type: expect.any(String), param: null, code: null };

describe("connections that bring no request", () => {
  it.each([
    ["no HTTP", ["\x16\x03\x01 hello\r\n\r\n"], 400],
    ["a header bomb", [`GET /health HTTP/1.1\r\nx: ${"a".repeat(40_000)}\r\n\r\n`], 431],
    ["a thousand headers", [`GET /health HTTP/1.1\r\n${"a-header: value\r\n".repeat(2000)}\r\n`], 431],
    ["headers that never end", ["GET /health HTTP/1.1\r\nhost: x\r\n"], 408],
    ["a body that never ends", [request("{}", []).replace("content-length: 2", "content-length: 99")], 408],
    [
      "two lengths",
      ["POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}"],
      400,
    ],
    ["a bad chunk", ["POST /tokenize HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"], 400],
  ])("are answered and closed: %s", async (_, chunks, status) => {
    const { port } = status === 408 ? hurried : server;
    const answer = await rawRequest(port, chunks, { ms: 20_000 });
    expect(statusOf(answer)).toBe(status);
    expect(errorOf(answer)).toEqual(anError);
  });

  it("leave nothing behind when they only come and go", async () => {
    await Promise.all(Array.from({ length: 50 }, () => rawRequest(server.port, [], { halfClose: true })));
    await Promise.all(Array.from({ length: 50 }, () => rawRequest(server.port, ["POST /v1/comp"], { ms: 20 })));
    expect((await fetch(`${server.address}/health`)).status).toBe(200);
  });
});

describe("bodies that are no request", () => {
  const json = "application/json";
  it.each([
    ["nothing", "", json, 400],
    ["half an object", "{", json, 400],
    ["half a word", "nul", json, 400],
    ["a zero byte", "\u0000", json, 400],
    ["brackets without end", "[".repeat(100_000), json, 400],
    ["a poisoned prototype", '{"__proto__":{"model":"demo"}}', json, 400],
    ["text", '{"model":"demo","prompt":"x"}', "text/plain", 400],
    ["another type", '{"model":"demo","prompt":"x"}', "application/xml", 415],
    ["too much", `{"model":"demo","prompt":"${"x".repeat(17 * 2 ** 20)}"}`, json, 413],
    ["an empty prompt of ids", '{"model":"demo","prompt":[[]]}', json, 400],
    ["an id that is none", '{"model":"demo","prompt":[999999999]}', json, 400],
    ["a number past all bounds", '{"model":"demo","prompt":"x","max_tokens":1e99}', json, 400],
    ["a bias for no token", '{"model":"demo","prompt":"x","logit_bias":{"99999999":1}}', json, 400],
    ["a broken expression", '{"model":"demo","prompt":"x","regex":"("}', json, 400],
    ["a grammar in a circle", '{"model":"demo","prompt":"x","grammar":"root ::= root"}', json, 400],
    ["fewer than are to be chosen from", '{"model":"demo","prompt":"x","n":128,"best_of":1}', json, 400],
  ])("are refused with a code that says why: %s", async (_, body, type, status) => {
    const response = await post(server.address, "/v1/completions", body, { headers: { "content-type": type } });
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: object };
    expect(Object.keys(error)).toEqual(["message", "type", "param", "code"]);
  });

  it.each([
    [{ logit_bias: { 99999999: 1 } }, "logit_bias"],
    [{ regex: "(" }, "regex"],
    [{ grammar: "root ::= root", stream: true }, "grammar"],
  ])("are refused by the name of the field: %j", async (more, param) => {
    const body = JSON.stringify({ model: "demo", prompt: "x", ...more });
    const response = await post(server.address, "/v1/completions", body);
    expect(await response.json()).toMatchObject({ error: { param } });
  });

  it("are refused alike where a stream was asked for: there is a status before there is a stream", async () => {
    const body = JSON.stringify({ model: "demo", prompt: "word ".repeat(5000), stream: true });
    const response = await post(server.address, "/v1/completions", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "context_length_exceeded", param: "prompt" } });
  });

  it.each(["/%zz", "/v1/%", "/../../etc/passwd", "/v1/completions/x"])("nor is there anything at %s", async (path) => {
    const answer = await rawRequest(server.port, [`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`]);
    expect([400, 404]).toContain(statusOf(answer));
    expect(errorOf(answer)).toMatchObject({ type: "invalid_request_error" });
  });
});

describe("a client that leaves", () => {
  it.each([[{}], [{ stream: true }], [{ n: 3 }]])("ends what was computed for it at once: %j", async (more) => {
    const leave = new AbortController();
    const asked = post(server.address, "/v1/completions", endless(more), { signal: leave.signal });
    const read = asked.then((response) => response.text());
    await until(() => running() > 0);
    leave.abort();
    await expect(read).rejects.toThrow();
    expect(await stepsUntilIdle(server.generator)).toBeLessThan(200); // of 400
  });

  it.each([[{}], [{ stream: true }]])("isn't noted as a failure of the server's: %j", async (more) => {
    const lines: string[] = [];
    const noting = await demoServer({ logger: { level: "info", stream: { write: (line) => void lines.push(line) } } });
    const leave = new AbortController();
    // All of it may be the beginning of where it stops, so nothing is said of it before its client leaves.
    const body = endless({ ...more, stop: ["a".repeat(5000)], grammar: 'root ::= "a"+' });
    const asked = post(noting.address, "/v1/completions", body, { signal: leave.signal });
    await until(() => noting.generator.scheduler.stats.running > 0);
    leave.abort();
    await expect(asked).rejects.toThrow();
    await until(() => lines.some((line) => line.includes('"gone":true')));
    await noting.app.close();
    expect(lines.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });

  it("by closing its half of the connection, too", async () => {
    await rawRequest(server.port, [request(endless())], { halfClose: true });
    expect(await stepsUntilIdle(server.generator)).toBeLessThan(200);
  });

  it("ends its own answer, not the one before on the same connection, and leaves no listeners", async () => {
    const socket = connect(server.port, "127.0.0.1");
    const [theirs] = (await once(server.app.server, "connection")) as [Socket];
    const count = (): number => theirs.listenerCount("close") + theirs.listenerCount("drain");
    let heard = "";
    socket.on("data", (data) => (heard += data.toString()));
    let before = 0;
    for (let i = 1; i <= 12; i++) {
      socket.write(request(JSON.stringify({ model: "demo", prompt: "a", max_tokens: 2 })));
      await until(() => heard.split("HTTP/1.1 200").length - 1 === i && heard.trimEnd().endsWith("}"));
      if (i === 2) before = count();
    }
    expect(count()).toBeLessThanOrEqual(before);
    socket.destroy();
  });
});

describe("a client that doesn't read", () => {
  it("is waited for: nothing heaps up for it, and others go on", async () => {
    const socket = connect(server.port, "127.0.0.1");
    const [theirs] = (await once(server.app.server, "connection")) as [Socket];
    socket.pause();
    // Each token brings twenty others with it, so that a few fill what the system buffers.
    socket.write(request(endless({ stream: true, logprobs: 20, max_tokens: 480 })));
    await until(() => running() > 0);
    await until(() => running() === 0, 200_000);
    expect(theirs.writableLength).toBeLessThan(64 * 1024);
    const other = await post(
      server.address,
      "/v1/completions",
      JSON.stringify({ model: "demo", prompt: "a", max_tokens: 2 }),
    );
    expect(other.status).toBe(200);
    socket.destroy();
  });
});

describe("a server that opens its model", () => {
  it("lives, isn't ready, and answers once it is; a model that can't be opened is asked again", async () => {
    const openings: PromiseWithResolvers<typeof server.generator>[] = [];
    const open = () => {
      const opening = Promise.withResolvers<typeof server.generator>();
      openings.push(opening);
      return opening.promise;
    };
    const app = createServer({ models: [{ id: "demo", open }] });
    await app.ready();
    const get = async (url: string) => {
      const { statusCode, body } = await app.inject({ url });
      return [statusCode, JSON.parse(body)];
    };
    expect(await get("/health")).toEqual([200, { status: "loading" }]);
    expect(await get("/ready")).toEqual([503, { ready: false }]);
    const ask = () => app.inject({ method: "POST", url: "/tokenize", payload: { content: "a b" } });
    const first = ask();
    await until(() => openings.length === 1);
    openings[0].reject(new Error("the card was busy"));
    const refused = await first;
    expect(refused.statusCode).toBe(500);
    expect(refused.body).not.toContain("busy");
    const second = ask();
    await until(() => openings.length === 2);
    openings[1].resolve(server.generator);
    expect((await second).json().tokens.length).toBeGreaterThan(0);
    expect(await get("/ready")).toEqual([200, { ready: true }]);
  });

  it.each([
    ["/v1/embeddings", { input: "a" }],
    ["/v1/completions", { prompt: "a", max_tokens: 1 }],
  ])("opens it anew where its device has failed, whatever that was asked: %s", async (path, body) => {
    const broken = (): Promise<never> => Promise.reject(new DeviceFailedError(new Error("no answer")));
    const failing: PropertyDescriptorMap = {
      close: { value: async () => {} },
      embed: { value: broken },
      stream: { value: () => ({ result: broken() }) },
    };
    const generators = [Object.create(server.generator, failing), server.generator] as (typeof server.generator)[];
    const app = createServer({ models: [{ id: "demo", open: async () => generators.shift()! }] });
    const ask = () => app.inject({ method: "POST", url: path, payload: { model: "demo", ...body } });
    expect((await ask()).statusCode).toBe(503);
    expect((await ask()).statusCode).toBe(200);
    const { body: metrics } = await app.inject({ url: "/metrics" });
    expect(metrics).toContain('llm:request_failure_total{model_name="demo",reason="error"} 1');
  });

  it("tells why it can't be opened at the start, and goes on where that is so later", async () => {
    const foreseen = Object.assign(new Error("the card is busy"), { code: "device-busy" });
    const told: unknown[] = [];
    const opened = (): typeof server.generator => Object.create(server.generator, { close: { value: async () => {} } });
    const plan = [foreseen, opened(), foreseen, opened()];
    const model = (id: string, open: () => Promise<typeof server.generator>) => ({ id, bytes: async () => 1, open });
    const open = async () => {
      const next = plan.shift()!;
      if (next instanceof Error) throw next;
      return next;
    };
    const app = createServer({
      models: [model("a", open), model("b", async () => opened())],
      memoryBudget: 1,
      onStartFailure: (problem) => void told.push(problem),
    });
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    await until(() => told.length > 0);
    expect(told).toEqual([foreseen]);
    const ask = async (name: string): Promise<unknown> => {
      const response = await post(address, "/tokenize", JSON.stringify({ model: name, content: "a" }));
      return [response.status, ((await response.json()) as { error?: { message: string } }).error?.message];
    };
    expect(await ask("a")).toEqual([200, undefined]);
    expect(await ask("b")).toEqual([200, undefined]); // for which the other makes room
    expect(await ask("a")).toEqual([503, "The model 'a' can't be opened: the card is busy"]);
    expect(await ask("a")).toEqual([200, undefined]);
    expect(told).toHaveLength(1);
    await app.close();
  });
});
