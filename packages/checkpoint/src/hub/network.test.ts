import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHub, startStorage, status } from "../testing/hub-server.ts";

const repo = "org/tiny";
const files = { "config.json": Buffer.from("{}") };
const tls = fileURLToPath(new URL("../../fixtures/tls", import.meta.url));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "network-"));
});
afterAll(() => rm(root, { recursive: true }));

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Pulls in a process of its own, as proxies and authorities are settings of a process. */
async function pullElsewhere(endpoint: string, env: Record<string, string>): Promise<{ code: number; output: string }> {
  const script = `
    import { pull } from ${JSON.stringify(fileURLToPath(new URL("./pull.ts", import.meta.url)))};
    const options = { cacheDir: ${JSON.stringify(await mkdtemp(join(root, "cache-")))}, want: "config", patience: { firstDelayMs: 1, attempts: 2 } };
    try { console.log(JSON.stringify((await pull(${JSON.stringify(repo)}, options)).files)); }
    catch (error) { console.log(error.code, error.message); process.exitCode = 1; }`;
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { PATH, HF_ENDPOINT: endpoint, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  return { code, output };
}

test("a hub with a certificate of a private authority", async () => {
  const hub = await startHub({ repo, files });
  const [cert, key] = await Promise.all(["cert.pem", "key.pem"].map((name) => readFile(join(tls, name))));
  const server = createTlsServer({ cert, key }, async (request, response) => {
    const answer = await fetch(hub.url + request.url, { method: request.method! });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  const endpoint = `https://localhost:${await listen(server)}`;
  const trusted = await pullElsewhere(endpoint, { NODE_EXTRA_CA_CERTS: join(tls, "ca.pem") });
  expect(trusted).toMatchObject({ code: 0, output: expect.stringContaining("config.json") });
  const untrusted = await pullElsewhere(endpoint, {});
  expect(untrusted.code).toBe(1);
  expect(untrusted.output).toMatch(/hub-failed localhost:\d+: .*NODE_EXTRA_CA_CERTS/);
  server.close();
  await hub.close();
});

test.each(["HTTP_PROXY", "http_proxy"])("a proxy named by %s is used, except for hosts of NO_PROXY", async (name) => {
  const hub = await startHub({ repo, files });
  const seen: string[] = [];
  const proxy = createHttpServer(async (request, response) => {
    seen.push(request.url ?? ""); // a whole address, where plain HTTP isn't tunnelled
    const answer = await fetch(request.url ?? "", { method: request.method! });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  proxy.on("connect", (request, client) => {
    seen.push(request.url ?? "");
    const target = connect(Number(request.url!.split(":")[1]), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(client).pipe(target);
    });
  });
  const address = `http://127.0.0.1:${await listen(proxy)}`;
  expect(await pullElsewhere(hub.url, { [name]: address })).toMatchObject({ code: 0 });
  expect(seen.length).toBeGreaterThan(0);
  seen.length = 0;
  expect(await pullElsewhere(hub.url, { [name]: address, NO_PROXY: "127.0.0.1" })).toMatchObject({ code: 0 });
  expect(seen).toEqual([]);
  const storage = await startStorage(files);
  const elsewhere = storage.url.replace("127.0.0.1", "localhost");
  hub.fault = ({ path }, response) => {
    if (!path.endsWith("/config.json")) return false;
    status(response, 302, { location: `${elsewhere}/config.json` });
    return true;
  };
  expect(await pullElsewhere(hub.url, { [name]: address, NO_PROXY: "127.0.0.1" })).toMatchObject({ code: 0 });
  expect(seen.some((url) => elsewhere.endsWith(url) || url.startsWith(elsewhere))).toBe(true);
  expect(seen.some((url) => url.includes("127.0.0.1"))).toBe(false);
  await storage.close();
  proxy.close();
  proxy.closeAllConnections();
  await hub.close();
});
