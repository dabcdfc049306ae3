import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer, post, until } from "./testing/demo-server.ts";
import { inUse } from "./testing/in-use.ts";
import { type Malformed, malformed } from "./testing/malformed.ts";
import { pickOf } from "./testing/random.ts";
import { rawRequest } from "./testing/raw-request.ts";

// The long form is `pnpm test:fuzz`: ten thousand.
const requests = Number(process.env.LLM_FUZZ ?? 600);

/** Connections at once; slow ones wait beside the others. */
const AT_ONCE = 32;

let server: DemoServer;
beforeAll(async () => {
  // Short answers, and more patience than a busy machine ever stalls for.
  server = await demoServer({ connections: { headersMs: 3000, requestMs: 4000 } }, 4, { ctxLen: 128 });
});
afterAll(() => server.app.close());

/** What is wrong with what came back, if anything. */
function fault({ kind, chunks, codes }: Malformed, heard: string): string | undefined {
  const status = heard === "" ? undefined : Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1]);
  const about = `${kind}: ${chunks.join("").slice(0, 600)} → ${heard.slice(0, 400)}`;
  if (!codes.includes(status)) return `${status} for ${about}`;
  if (status === undefined || status === 200) return undefined;
  const { error } = JSON.parse(heard.slice(heard.indexOf("\r\n\r\n") + 4)) as { error?: Record<string, unknown> };
  const anthropic = chunks[0].startsWith("POST /v1/messages");
  const keys = anthropic ? "message,type" : "code,message,param,type";
  const message = String(error?.message ?? "");
  const isError = error && Object.keys(error).sort().join() === keys && message !== "" && !message.includes("\n");
  return isError ? undefined : `no error in ${about}`;
}

async function fuzz(count: number, seed: number): Promise<{ faults: string[]; kinds: Map<string, number> }> {
  const faults: string[] = [];
  const kinds = new Map<string, number>();
  const pick = pickOf(seed);
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const request = malformed(pick);
      kinds.set(request.kind, (kinds.get(request.kind) ?? 0) + 1);
      const wrong = fault(request, await rawRequest(server.port, request.chunks, request.options));
      if (wrong) faults.push(wrong);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return { faults, kinds };
}

const connections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    server.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

describe(`${requests} requests with something wrong in them, over sockets`, () => {
  it("are answered with the right code or given up; none breaks anything, and nothing is left of them", {
    timeout: 300_000 + requests * 100,
  }, async () => {
    await fuzz(Math.min(requests, 300), 1); // what is kept for good is kept by now
    const before = await inUse();
    const { faults, kinds } = await fuzz(requests, 20_261_121);
    expect(faults).toEqual([]);
    expect(kinds.size).toBe(13);

    const { stats } = server.generator.scheduler;
    await until(() => server.generator.scheduler.stats.running === 0);
    expect(stats.waiting).toBe(0);
    await expect.poll(connections, { timeout: 20_000 }).toBe(0);
    const grown = (await inUse()) / before;
    process.stdout.write(`${JSON.stringify(Object.fromEntries(kinds))}; memory × ${grown.toFixed(3)}\n`);
    expect(grown).toBeLessThanOrEqual(1.05);
    const answer = await post(server.address, "/v1/completions", '{"model":"demo","prompt":"a","max_tokens":2}');
    expect(answer.status).toBe(200);
  });
});
