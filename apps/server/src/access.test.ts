import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeyRing } from "./access/key-ring.ts";
import { type DemoServer, demoServer, endless, post, until } from "./testing/demo-server.ts";

const completion = (more: object = {}): string =>
  JSON.stringify({ model: "demo", prompt: "a", max_tokens: 2, ...more });
const lines: string[] = [];
let server: DemoServer;

beforeAll(async () => {
  const keys = await KeyRing.open({ keys: ["alpha", "beta"] });
  server = await demoServer({
    keys,
    cors: ["https://example.org"],
    limits: { answers: 6, answersOfOne: 5 },
    logger: { level: "info", stream: { write: (line: string) => void lines.push(line) } },
  });
});
afterAll(() => server.app.close());

const as = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

describe("keys", () => {
  it.each([[{}], [{ authorization: "Bearer wrong" }], [{ authorization: "alpha" }], [{ "x-api-key": "" }]])(
    "are asked for: %j",
    async (headers: Record<string, string>) => {
      const response = await post(server.address, "/v1/completions", completion(), { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { type: "authentication_error", code: "invalid_api_key" } });
    },
  );

  it.each([[{ authorization: "Bearer alpha" }], [{ authorization: "bearer beta" }], [{ "x-api-key": "beta" }]])(
    "open the server in each client's header: %j",
    async (headers: Record<string, string>) => {
      const response = await post(server.address, "/v1/completions", completion(), { headers });
      expect(response.status).toBe(200);
    },
  );

  it("aren't needed to see whether it lives, and are to see what it does", async () => {
    const statusOf = async (path: string): Promise<number> => (await fetch(server.address + path)).status;
    expect(await statusOf("/health")).toBe(200);
    expect(await statusOf("/ready")).toBe(200);
    expect(await statusOf("/")).toBe(200);
    expect(await statusOf("/metrics")).toBe(401);
    expect(await statusOf("/slots")).toBe(401);
    expect(await statusOf("/v1/models")).toBe(401);
    expect(await statusOf("/nothing")).toBe(401);
  });
});

describe("other sites' pages", () => {
  const preflight = (origin: string): Promise<Response> =>
    fetch(`${server.address}/v1/completions`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
      },
    });

  it("may ask where they were named", async () => {
    const { status, headers } = await preflight("https://example.org");
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("https://example.org");
    expect(headers.get("access-control-allow-headers")).toContain("authorization");
    const init = { headers: { origin: "https://example.org", authorization: "Bearer alpha" } };
    for (const stream of [false, true]) {
      const response = await post(server.address, "/v1/completions", completion({ stream }), init);
      expect(response.headers.get("access-control-allow-origin")).toBe("https://example.org");
      await response.text();
    }
  });

  it("may not where they weren't", async () => {
    const { headers } = await preflight("https://example.com");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("limits", () => {
  it("refuse a caller with too much under way, then everybody, and let them in again after", async () => {
    const leave = new AbortController();
    const many = post(server.address, "/v1/completions", endless({ n: 5 }), { ...as("alpha"), signal: leave.signal });
    many.catch(() => {});
    await until(() => server.generator.scheduler.stats.running > 0);
    const mine = await post(server.address, "/v1/completions", completion(), as("alpha"));
    expect([mine.status, mine.headers.has("retry-after")]).toEqual([429, true]);
    expect(await mine.json()).toMatchObject({ error: { type: "rate_limit_error" } });
    const theirs = await post(server.address, "/v1/completions", completion({ n: 2 }), as("beta"));
    expect([theirs.status, theirs.headers.has("retry-after")]).toEqual([503, true]);
    for (const more of [{ n: 100 }, { prompt: Array(7).fill("a"), suffix: null }])
      expect((await post(server.address, "/v1/completions", completion(more), as("beta"))).status).toBe(400);
    leave.abort();
    await until(() => server.generator.scheduler.stats.running === 0);
    expect((await post(server.address, "/v1/completions", completion({ n: 2 }), as("beta"))).status).toBe(200);
  });
});

describe("the log", () => {
  it("says who asked for what and how it ended, but not what they said", async () => {
    const headers = { authorization: "Bearer alpha", "x-request-id": "trace-7" };
    const response = await post(server.address, "/v1/completions", completion({ prompt: "my secret plan" }), {
      headers,
    });
    expect(response.headers.get("x-request-id")).toBe("trace-7");
    await until(() => lines.some((line) => line.includes("trace-7")));
    const line = JSON.parse(lines.find((each) => each.includes("trace-7"))!);
    expect(line).toMatchObject({ reqId: "trace-7", method: "POST", path: "/v1/completions", status: 200 });
    expect(line.caller).toMatch(/^key-/);
    for (const each of lines) expect(each).not.toMatch(/secret|alpha|beta/);
  });
});
