import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, describe, expect, it } from "vitest";
import { type CliOptions, type CliRun, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

/** Serves until `use` has been through with it, then asks it to stop, or stops it. */
async function serving(
  args: readonly string[],
  use: (address: string) => Promise<void>,
  signal: NodeJS.Signals = "SIGTERM",
  options: CliOptions = {},
): Promise<CliRun> {
  let used: Promise<void> | undefined;
  const run = await runCli(["serve", "demo", "--port", "0", "--log", "silent", ...args], home, {
    ...options,
    onOutput: (text, kill) => {
      const address = /^https?:\S+$/m.exec(text)?.[0];
      if (address && !used) used = use(address).finally(() => kill(signal));
    },
  });
  await used;
  return run;
}

const ask = (address: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${address}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      ...{ model: "demo", prompt: "def f(", max_tokens: 40, ignore_eos: true, temperature: 0 },
      ...more,
    }),
  });

const textOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { choices: { text: string }[] }).choices[0]!.text;

describe("llm serve", () => {
  it("prints its address, answers, and when it is asked to stop finishes what it took on", async () => {
    let last: Promise<string> | undefined;
    const run = await serving([], async (address) => {
      expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect((await ask(address)).status).toBe(200);
      // Its head is here as soon as the server has taken it on.
      const streamed = await ask(address, { stream: true, max_tokens: 400, stream_options: { include_usage: true } });
      last = streamed.text();
    });
    expect(run.stdout).toMatch(/^http:\S+\n$/);
    expect(run.stderr).not.toMatch(/WARNING|error/);
    expect(run.code).toBe(130);
    expect(await last).toMatch(/"completion_tokens":400\b[^\n]*\n\ndata: \[DONE\]\n\n$/);
  });

  it("may be killed under load: its port is free again, what it keeps is whole, and it answers as before", async () => {
    let before = "";
    let port = "";
    let broken: Promise<PromiseSettledResult<string>[]> | undefined;
    const killed = await serving(
      [],
      async (address) => {
        port = new URL(address).port;
        before = await textOf(await ask(address));
        // More than run at once: some are in the middle of their answers, others wait.
        const endless = { stream: true, max_tokens: 900 };
        const streams = Array.from({ length: 24 }, () => ask(address, endless));
        broken = Promise.allSettled(streams.map(async (stream) => (await stream).text()));
        await Promise.any(streams);
      },
      "SIGKILL",
    );
    expect(killed.code).toBeNull();
    const answers = await broken!;
    expect(answers.map(({ status }) => status)).toContain("rejected");
    for (const answer of answers)
      if (answer.status === "fulfilled") expect(answer.value).toMatch(/data: \[DONE\]\n\n$/);
    const once = () =>
      serving(["--port", port], async (address) => {
        expect(new URL(address).port).toBe(port);
        expect(await textOf(await ask(address))).toBe(before);
      });
    let again = await once();
    // A connection of another program may be drawn the number meanwhile.
    for (let i = 0; i < 10 && /something else listens there/.test(again.stderr); i++) again = await once();
    expect(again.code).toBe(130);
    expect(again.stderr).not.toMatch(/WARNING|error/);
  });

  it("is called as clients know it, and never by where it lies on this machine", async () => {
    const folder = join(home, "models", "mine");
    mkdirSync(join(home, "models"));
    symlinkSync(demoModelFolder, folder);
    const listed = async (address: string): Promise<unknown> => {
      const { data } = (await (await fetch(`${address}/v1/models`)).json()) as { data: { id: string }[] };
      return data.map(({ id }) => id);
    };
    const args = ["--also", `${folder}/`, "--alias", "gpt-4", "--alias", "tiny"];
    await serving(args, async (address) => {
      expect(await listed(address)).toEqual(["gpt-4", "tiny", "mine"]);
      const said = await Promise.all(
        ["gpt-4", "tiny", "demo", "mine", `${folder}/`].map(async (model) => {
          const answer = (await (await ask(address, { model, max_tokens: 1 })).json()) as { model: string };
          return answer.model;
        }),
      );
      expect(said).toEqual(["gpt-4", "tiny", "gpt-4", "mine", "mine"]);
      const unknown = await (await ask(address, { model: "other" })).text();
      expect(unknown).not.toContain(home);
    });
  });

  it("goes on where nobody reads its log any more", async () => {
    const use = async (address: string): Promise<void> => {
      for (let i = 0; i < 3; i++) expect((await ask(address, { max_tokens: 1 })).status).toBe(200);
    };
    const { code } = await serving(["--log", "info"], use, "SIGTERM", { deaf: true });
    expect(code).toBe(130);
  });

  it("takes keys from a file, and warns where anybody could come in without", async () => {
    const keys = join(home, "keys.txt");
    writeFileSync(keys, "# ours\nsesame\n");
    const guarded = await serving(["--host", "0.0.0.0", "--api-key-file", keys], async (address) => {
      expect((await ask(address)).status).toBe(401);
      expect((await ask(address, {}, { authorization: "Bearer sesame" })).status).toBe(200);
    });
    expect(guarded.stderr).not.toContain("WARNING");
    const open = await serving(["--host", "0.0.0.0"], async () => {});
    expect(open.stderr).toContain("WARNING: anybody who reaches 0.0.0.0");
  });

  it.each([
    [["--tls-cert", "cert.pem"], /--tls-cert and --tls-key go together/],
    [["--tls-cert", "none.pem", "--tls-key", "none.pem"], /--tls-cert none\.pem: there is no such file/],
    [["--tls-cert", ".", "--tls-key", "."], /--tls-cert \.: it is a folder/],
    [["--tls-cert", "no.pem", "--tls-key", "no.pem"], /--tls-cert no\.pem, --tls-key no\.pem: no certificate/],
    [["--api-key-file", "none.txt"], /--api-key-file none\.txt: there is no such file/],
    [["--api-key", ""], /--api-key is empty/],
    [["--queue", "-1"], /--queue/],
    [["--log", "loud"], /--log/],
    [["--adapter", "sql"], /--adapter sql: give a name and a folder/],
    [["--adapter", "demo=."], /demo would be the name of two; choose another for demo, with --alias NAME=demo/],
    [["--also", "demo"], /--also demo: that is MODEL already/],
    [["--alias", "=demo"], /--alias =demo: give a name, or NAME=MODEL/],
    [["--adapter", "sql=nodir"], /--adapter sql=nodir: there is no folder nodir/],
    [["--host", "192.0.2.1", "--api-key", "x"], /--host 192\.0\.2\.1: this machine doesn't have that address/],
  ])("says in a line what is wrong: %j", async (args, message) => {
    writeFileSync(join(home, "no.pem"), "not a certificate\n");
    const { code, stderr, stdout } = await runCli(["serve", "demo", ...args], home);
    expect(code).toBe(args[0] === "--host" ? 1 : 2);
    expect(stderr).toMatch(message);
    expect([stdout, stderr.trim().split("\n").length]).toEqual(["", 1]);
  });

  it("says so where its port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const { code, stderr } = await runCli(["serve", "demo", "--port", String(port), "--log", "silent"], home);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `llm: --port ${port}: something else listens there on 127.0.0.1; choose another, or 0 for any\n`,
    );
  });

  it("gives up where the memory that it may take can never hold its model, adapters included", async () => {
    const { code, stderr } = await runCli(["serve", "demo", "--port", "0", "--memory-limit", "0.00001"], home);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^llm: --memory-limit 0\.00001: demo takes [\d.]+ MB, and that leaves 10\.0 kB/m);
    expect(stderr).not.toMatch(/ {2}at |stack/);
    const taken = (text: string): number => Number(/demo takes ([\d.]+) MB/.exec(text)?.[1]);
    const adapter = join(home, "adapter");
    mkdirSync(adapter);
    writeFileSync(join(adapter, "adapter_model.safetensors"), Buffer.alloc(50e6));
    const limited = ["serve", "demo", "--port", "0", "--memory-limit", "0.00001", "--adapter", `x=${adapter}`];
    const beside = await runCli(limited, home);
    expect(taken(beside.stderr) - taken(stderr)).toBeCloseTo(50, 0);
  });

  it("says once, without a stack, why it ends when its model can't be opened", async () => {
    const broken = join(home, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "config.json"), "{}");
    const { code, stdout, stderr } = await runCli(["serve", broken, "--port", "0", "--log", "error"], home);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^http:\S+\n$/)]);
    expect(stderr.match(/broken/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/\bat .*\.ts|stack/);
  });

  it.each([[["./nope"]], [["demo", "--draft-model", "./nope"]], [["demo", "--also", "./nope"]]])(
    "doesn't listen where there is nothing to serve: %j",
    async (args) => {
      const { code, stdout, stderr } = await runCli(["serve", ...args, "--port", "0"], home);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^llm: \.\/nope: does not exist[^\n]*\n$/);
    },
  );

  it("tells its address as a document at once, with --json", async () => {
    let told = "";
    const run = await runCli(["serve", "demo", "--port", "0", "--log", "silent", "--json"], home, {
      onOutput: (text, kill) => {
        if (!text.startsWith("{")) return;
        told = text;
        kill("SIGTERM");
      },
    });
    expect(JSON.parse(told).address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(run.stdout).toBe(told);
  });
});
