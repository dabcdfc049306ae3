/** `pnpm smoke`: checkpoint → text on every target that needs no hardware, in seconds; exits 1 at the first thing that is wrong. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./workspace.ts";

const TOKENS = 12;
const work = mkdtempSync(join(tmpdir(), "llm-smoke-"));
const golden: { prompts: { text: string; input_ids: number[]; greedy: number[] }[] } = JSON.parse(
  readFileSync(join(root, "packages/demo-model/golden.json"), "utf8"),
);
const [prompt] = golden.prompts;
const expected = prompt.greedy.slice(0, TOKENS);

/** The one JSON document that a command prints. */
async function llm(...args: string[]): Promise<Record<string, unknown>> {
  const env = { ...process.env, XDG_CACHE_HOME: join(work, "cache") };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, "apps/cli/src/bin.ts"), ...args, "--json"],
    { env },
  );
  return JSON.parse(stdout);
}

/** What `llm run` answers its only prompt. */
async function tokensOf(...args: string[]): Promise<number[]> {
  const { completions } = (await llm(...args)) as { completions: { tokens: number[] }[] };
  return completions[0]!.tokens;
}

function same(what: string, found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

const generation = ["--prompt", prompt.text, "--greedy", "--max-new-tokens", String(TOKENS)];

const checks: Readonly<Record<string, () => Promise<void>>> = {
  "tokenizer gives the published ids": async () => {
    same("ids", (await llm("tokenize", "demo", prompt.text)).ids, prompt.input_ids);
  },
  "reference interpreter gives the reference's text": async () => {
    const ids = prompt.input_ids.join(",");
    const out = join(work, "logits.safetensors");
    same(
      "greedy",
      (await llm("logits", "demo", "--ids", ids, "--greedy", String(TOKENS), "--target", "reference", "--out", out))
        .greedy,
      expected,
    );
  },
  "cpu: from checkpoint to text": async () => {
    same("tokens", (await llm("infer", "demo", ...generation)).tokens, expected);
  },
  "Cloud AI 100, emulated: from checkpoint to text": async () => {
    const emulated = ["--target", "aic100", "--emulate", "--format", "fp32", "--ctx-len", "256"];
    same("tokens", await tokensOf("run", "demo", ...emulated, ...generation), expected);
  },
  "null: whatever a device's limits are, an answer of the length asked for": async () => {
    const tokens = await tokensOf("run", "demo", "--target", "null", "--like", "bm1684x", ...generation);
    same("how many tokens", tokens.length, TOKENS);
  },
  "cpu: the second time every stage is skipped": async () => {
    const { stages } = (await llm("infer", "demo", ...generation)) as { stages: { name: string; skipped: boolean }[] };
    const done = stages.filter(({ name, skipped }) => name !== "run" && !skipped).map(({ name }) => name);
    same("stages done again", done, []);
  },
};

const start = performance.now();
try {
  for (const [name, check] of Object.entries(checks)) {
    const from = performance.now();
    await check();
    console.log(`✓ ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
  }
  console.log(`smoke passed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
