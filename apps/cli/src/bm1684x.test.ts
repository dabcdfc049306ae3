import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isInstalled, toolchainOf } from "@llm/target-bm1684x";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OLMO2, WIZARDCODER } from "./testing/published-configs.ts";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

/** A model of one block and 96 tokens, as the vendor's compiler made it. */
const BMODEL = fileURLToPath(new URL("../../../packages/target-bm1684x/fixtures/F16/model.bmodel", import.meta.url));
const TOKENS = [...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)), "Ġ", "ab"];

const { home, remove } = testHome();
afterAll(remove);

const folder = join(home, "from-a-colleague");
const bmodel = join(folder, "wizardcoder_int4.bmodel");
const toolchain = toolchainOf();
const env = { TPU_MLIR_DIR: toolchain.folder, LIBSOPHON_DIR: join(home, "no-libsophon") };
const missing = !isInstalled(toolchain) && process.env.LLM_TEST_REQUIRE_ALL !== "1";

/** A bmodel as people hand it on: the tokenizer's two files beside it, and nothing that says what its nets are. */
beforeAll(() => {
  mkdirSync(folder);
  copyFileSync(BMODEL, bmodel);
  const vocab = Object.fromEntries(TOKENS.map((token, id) => [token, id]));
  writeFileSync(join(folder, "vocab.json"), JSON.stringify(vocab));
  writeFileSync(join(folder, "merges.txt"), "#version: 0.2\na b\n");
});

interface Run {
  readonly completions: readonly { readonly text: string; readonly tokens: readonly number[] }[];
}

describe.skipIf(missing)("on the simulator (needs: llm doctor --target bm1684x --install)", () => {
  const ask = ["--simulate", "--prompt", "ab c", "--max-new-tokens", "5", "--json"];
  const runOf = async (thing: string, ...more: readonly string[]) => {
    const run = jsonOf(await runCli(["run", thing, ...ask, ...more], home, { env })) as unknown as Run;
    return run.completions[0]!;
  };

  test("a bmodel runs with vocab.json and merges.txt beside it", async () => {
    const { text, tokens } = await runOf(bmodel, "-d", "0");
    expect(tokens).toHaveLength(5);
    expect(text).toBe(tokens.map((id) => TOKENS[id]!.replace("Ġ", " ")).join(""));
  });

  test("tokens drawn on the device are those that its logits give", async () => {
    const draw = ["--temperature", "1.5", "--top-k", "40", "--top-p", "0.95", "--seed", "3"];
    const onDevice = await runOf(bmodel, ...draw);
    expect(new Set(onDevice.tokens).size).toBeGreaterThan(2);
    // Probabilities are of all tokens: they can't be had without the logits.
    expect((await runOf(bmodel, ...draw, "--logprobs", "1")).tokens).toEqual(onDevice.tokens);
  });

  test("packed, it answers the same where nothing else of it is", async () => {
    const before = await runOf(bmodel);
    const pack = join(home, "model.tar");
    const { files } = jsonOf(await runCli(["pack", bmodel, "--out", pack, "--json"], home, { env }));
    expect(files).toEqual(expect.arrayContaining(["wizardcoder_int4.bmodel", "vocab.json", "merges.txt"]));
    renameSync(folder, `${folder} of old`);
    try {
      expect(await runOf(pack)).toEqual(before);
    } finally {
      renameSync(`${folder} of old`, folder);
    }
  });
});

test("without a card, what to install is said in a line", async () => {
  const { code, stderr } = await runCli(["run", bmodel, "-d", "0", "--prompt", "ab"], home, { env });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^llm: there is no libsophon [^\n]* in LIBSOPHON_DIR=[^\n]*\n$/m);
});

test("inspect says what is in it, for which chip, and what a chip will hold", async () => {
  const inspected = jsonOf(await runCli(["inspect", bmodel, "--json"], home, { env }));
  expect(inspected).toMatchObject({ kind: "bmodel", chip: "BM1684X", devices: 1 });
});

test("plan takes the length by either name, a mode by any of its names, and a mesh that this model can be on", async () => {
  const plan = async (...args: readonly string[]) =>
    jsonOf(await runCli(["plan", ...args, "--json"], home, { env })) as unknown as {
      readonly options: { readonly mode: string; readonly ctxLen: number };
      readonly meshes: readonly { readonly mesh: string }[];
    };
  const lengths = [
    ["--ctx-len", "64"],
    ["--seq-length", "64"],
  ] as const;
  for (const length of lengths) {
    expect((await plan("demo", "--target", "bm1684x", ...length)).options.ctxLen).toBe(64);
    expect((await plan("demo", ...length, "--target", "bm1684x", "--mode", "W4F16")).options.mode).toBe("int4");
  }
  const olmo2 = join(home, "olmo2");
  mkdirSync(olmo2);
  writeFileSync(join(olmo2, "config.json"), JSON.stringify(OLMO2));
  const { meshes } = await plan(olmo2, "--target", "bm1684x", "--mesh", "auto");
  expect(meshes.map(({ mesh }) => mesh).sort()).toEqual(["1x1", "1x1x2", "1x1x4", "1x1x8"]);
});

test("plan needs no weights: Wizardcoder-15B in 4 bits fits one chip, in 16 it doesn't", async () => {
  const model = join(home, "wizardcoder");
  mkdirSync(model);
  writeFileSync(join(model, "config.json"), JSON.stringify(WIZARDCODER));
  const plan = (mode: string) =>
    runCli(["plan", model, "--target", "bm1684x", "--mode", mode, "--json"], home, { env });
  expect(jsonOf(await plan("int4"))).toMatchObject({ fits: true });
  const whole = await plan("F16");
  expect(whole.code).toBe(1);
  expect(jsonOf(whole)).toMatchObject({ fits: false, why: expect.stringContaining("--num-device") });
});
