import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoServer, demoServer } from "./testing/demo-server.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-tls-"));
const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];

/** A certificate for this machine, made for this test. */
function certify(): boolean {
  const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    execFileSync("openssl", ["req", ...made, ...named, "-keyout", keyFile, "-out", certFile], { stdio: "pipe" });
    return true;
  } catch (error) {
    if (process.env.LLM_TEST_REQUIRE_ALL === "1") throw error;
    return false;
  }
}

const certified = certify();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!certified)("a server with a certificate (openssl makes one: apt install openssl)", () => {
  let server: DemoServer;
  beforeAll(async () => {
    server = await demoServer({
      tls: { cert: readFileSync(certFile), key: readFileSync(keyFile) },
      connections: { headersMs: 300 },
    });
  });
  afterAll(() => server.app.close());

  it("answers over TLS, whole and streamed, and not without", async () => {
    expect(server.address).toMatch(/^https:/);
    const ca = readFileSync(certFile);
    for (const stream of [false, true]) {
      const body = JSON.stringify({ model: "demo", prompt: "a", max_tokens: 2, stream });
      const answer = await new Promise<string>((resolve, reject) => {
        const headers = { "content-type": "application/json" };
        const asked = request(`${server.address}/v1/completions`, { method: "POST", headers, ca }, (response) => {
          let text = "";
          response.on("data", (data) => (text += data)).on("end", () => resolve(text));
        });
        asked.on("error", reject).end(body);
      });
      expect(answer).toContain('"object":"text_completion"');
    }
    await expect(fetch(`http://127.0.0.1:${server.port}/health`)).rejects.toThrow();
  });
});
