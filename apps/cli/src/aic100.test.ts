import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { STARCODER } from "./testing/published-configs.ts";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

const env = { QAIC_SDK_DIR: join(home, "no-sdk"), PATH: "/usr/bin:/bin" };

test("without an SDK, compile leaves a kit, says so in a line, and exits with 3", async () => {
  const out = join(home, "out");
  const args = ["compile", "demo", "--target", "aic100", "--sdk-profile", "recipe", "--socs", "4"];
  const { code, stdout, stderr } = await runCli([...args, "--out", out, "--json"], home, { env });
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ artefact: out, target: "aic100", finished: false });
  expect(stderr).toMatch(/^llm: nothing was compiled: qaic-exec .*compile-kit .*$/m);
  const script = readFileSync(join(out, "compile-kit/compile.sh"), "utf8");
  expect(script).toContain("-aic-hw-version=2.0");
  expect(script).toContain("-mdp-load-partition-config=mdp.json");
  expect(script).toContain("-aic-binary-dir=qpc/demo-1bs-256pl-1024cl-64c-mx6"); // the recipe's own numbers
  expect(existsSync(join(out, "qpc"))).toBe(false);

  const again = await runCli([...args, "--out", out], home, { env });
  expect(again.code).toBe(3);
  expect(again.stderr).toMatch(/compile +skipped: exported, and not compiled/);

  const run = await runCli(["run", out, "--prompt", "x"], home, { env });
  expect(run.code).toBe(3);
  expect(run.stderr).toContain("nothing was compiled");
});

test("plan says what fits a DL2q card, how fast it can be, by what it goes, and draws it", async () => {
  const model = join(home, "starcoder");
  mkdirSync(model);
  writeFileSync(join(model, "config.json"), JSON.stringify(STARCODER));
  const page = join(home, "plan.html");
  const args = ["plan", model, "--target", "aic100", "--card", "dl2q", "--format", "mx6", "--prompt-len", "1"];
  const sizes = ["--ctx-len", "8192", "--batch-size", "max", "--html", page, "--json"];
  const { code, stdout } = await runCli([...args, ...sizes], home, { env });
  expect(code).toBe(0);
  const plan = JSON.parse(stdout) as { maxBatchSize: number; speed: object; assumptions: { name: string }[] };
  expect(plan).toMatchObject({ fits: true, maxBatchSize: 14, speed: { decode: { by: "memory" } } });
  expect(plan.assumptions.map(({ name }) => name)).toContain("reserve");
  expect(readFileSync(page, "utf8")).toContain("It fits, up to batch size 14.");

  const over = await runCli([...args, "--ctx-len", "8192", "--batch-size", "40"], home, { env });
  expect(over.code).toBe(1);
  expect(over.stdout).toContain("does not fit");
  const unknown = await runCli([...args, "--assume", "luck=1"], home, { env });
  expect(unknown.code).toBe(2);
});

test("plan takes formats, devices and lengths by the names that other targets have, and says where two disagree", async () => {
  const plan = async (...args: readonly string[]) =>
    await runCli(["plan", "demo", "--target", "aic100", ...args, "--json"], home, { env });
  for (const format of ["mxfp6", "MX6", "mx6"]) {
    const { stdout } = await plan("--format", format);
    expect(JSON.parse(stdout), format).toMatchObject({ options: { format: "mx6" } });
  }
  expect(JSON.parse((await plan("--format", "F16")).stdout)).toMatchObject({ options: { format: "fp16" } });
  for (const four of [
    ["--num-device", "4"],
    ["--socs", "4"],
    ["--device-group", "[4,5,6,7]"],
    ["--card", "ultra"],
  ])
    expect(JSON.parse((await plan(...four)).stdout).devices, four[0]).toHaveLength(4);
  expect(JSON.parse((await plan("--card", "ultra", "--mesh", "1x1")).stdout).devices).toHaveLength(1);

  const short = await plan("--config", "n_positions=64", "--config", "max_position_embeddings=64");
  expect(JSON.parse(short.stdout)).toMatchObject({ options: { ctxLen: 64, promptLen: 32 } });
  for (const [wrong, message] of [
    [["--socs", "4", "--device-group", "0"], "--socs 4 and --device-group 0 disagree"],
    [["--num-device", "2", "--socs", "4"], "--socs 4 and --num-device 2 disagree"],
    [["--device-group", "0,0"], "--device-group 0,0: one is named twice"],
    [["--card", "dl2q", "--num-cores", "16"], "--num-cores 16: DL2q has 14"],
    [["--format", "fp16", "--mxfp6"], "--format fp16 and --mxfp6: leave one of them out"],
    [["--ctx-len", "65536"], "--ctx-len 65536: this model takes at most"],
    [["--assume", "bandwidth=0"], "--assume bandwidth=0: it is above 0"],
  ] as const) {
    const { code, stderr } = await plan(...wrong);
    expect(code, message).toBe(2);
    expect(stderr).toContain(message);
  }
});

test("what was made for several sequences takes as many prompts, unless told otherwise", async () => {
  const out = join(home, "batch");
  const made = ["--target", "aic100", "--emulate", "--batch-size", "2", "--ctx-len", "32", "--prompt-len", "8"];
  await runCli(["export", "demo", ...made, "--out", out], home, { env });
  const prompts = async (...args: readonly string[]) => {
    const ran = await runCli(["run", "--qpc", out, "--max-new-tokens", "2", "--json", ...args], home, { env });
    return (jsonOf(ran).completions as { prompt: string }[]).map(({ prompt }) => prompt);
  };
  expect(await prompts("--prompt", "a|b|c")).toEqual(["a", "b"]);
  expect(await prompts("--prompt", "a")).toEqual(["a", "a"]);
  expect(await prompts("--prompt", "a|b", "--batch-size", "1")).toEqual(["a|b"]);
});

test("inspect looks into a QPC by its first bytes, and says of a damaged one that it is", async () => {
  const qpc = Buffer.alloc(40);
  qpc.writeUInt32LE(0x00a1cd7c, 0);
  qpc.writeUInt8(1, 5);
  qpc.writeBigUInt64LE(40n, 8);
  qpc.writeBigUInt64LE(40n, 32);
  const folder = join(home, "qpc-v1.5");
  mkdirSync(folder);
  const file = join(folder, "programqpc.bin");
  writeFileSync(file, qpc);
  const { stdout } = await runCli(["inspect", file, "--json"], home);
  expect(JSON.parse(stdout)).toMatchObject({ kind: "qpc", version: "0.1", segments: [] });
  expect(JSON.parse((await runCli(["inspect", folder, "--json"], home)).stdout)).toEqual(JSON.parse(stdout));
  const drawn = await runCli(["inspect", folder, "--graph"], home);
  expect(drawn).toMatchObject({
    code: 2,
    stderr: "llm: --graph draws the graph of a checkpoint; there is none here\n",
  });
  const packed = jsonOf(await runCli(["pack", "--qpc-path", folder, "--json"], home));
  expect(packed).toMatchObject({ file: join(home, "qpc-v1.5.tar"), files: ["programqpc.bin"] });
  writeFileSync(file, qpc.subarray(0, 20));
  const { code, stderr } = await runCli(["inspect", file], home);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^llm: .*programqpc.bin: the QPC is damaged: [^\n]*\n$/);
});

test("tokens that the card chooses are those that are chosen here from its logits, whatever is asked", async () => {
  const args = ["run", "demo", "--target", "aic100", "--emulate", "--ctx-len", "96", "--prompt", "def add(a, b):"];
  const asked = ["--temperature", "0.9", "--top-k", "40", "--top-p", "0.95", "--repetition-penalty", "1.2"];
  const text = async (...more: readonly string[]) => {
    const rest = ["--presence-penalty", "0.3", "--seed", "5", "--max-new-tokens", "24", "--json", ...more];
    const { code, stdout } = await runCli([...args, ...asked, ...rest], home, { env });
    expect(code).toBe(0);
    return (JSON.parse(stdout) as { completions: { tokens: number[] }[] }).completions[0]!.tokens;
  };
  const here = await text();
  expect(here).toHaveLength(24);
  expect(await text("--on-device-sampling")).toEqual(here);
});

test("infer takes each argument of the library's, as it spells them, and prints its wording", async () => {
  const io = join(home, "io");
  const shape = [
    "--num_cores",
    "14",
    "--device_group",
    "[0]",
    "--batch_size",
    "2",
    "--prompt_len",
    "32",
    "--ctx_len",
    "128",
  ];
  const how = ["--mxfp6", "--mxint8", "--mos", "1", "--aic_enable_depth_first", "--generation_len", "6"];
  const what = ["--prompt", "def f(x):|import os", "--write-io-dir", io, "--automation"];
  const args = ["infer", "--model_name", "demo", "--target", "aic100", "--emulate", ...shape, ...how, ...what];
  const { code, stdout, stderr } = await runCli(args, home, { env });
  expect(stderr).toMatch(/^verify .* 5 tokens through blocks 0, 2, 5: logits at most/m);
  expect(code).toBe(0);
  expect(stdout).toMatch(/input=def f\(x\):\noutput=.+input=import os\noutput=.+\nBatch Performance : \n/s);
  expect(stdout).toMatch(
    /Average Prefill time a\.k\.a TTFT is= [\d.]+ sec {8}\nDecode is= [\d.]+ tokens\/sec {8}\nTotal is= /,
  );
  const list = JSON.parse(readFileSync(join(io, "aic_batch_io.json"), "utf8")) as { "IO-files": { path: string }[][] };
  expect(list["IO-files"].map((call) => call.at(-1))).toEqual([
    expect.objectContaining({ path: "prefill/logits.raw", "io-direction": "out", dims: [2, 1, 4096] }),
    expect.objectContaining({ path: "decode/logits.raw", "io-direction": "out", dims: [2, 1, 4096] }),
  ]);
});

test("what can't be compiled is said before anything is exported", async () => {
  const out = join(home, "refused");
  const args = ["compile", "demo", "--target", "aic100", "--out", out, "--ctx-len", "256"];
  for (const wrong of [
    ["--comp-ctx-lengths", "0"],
    ["--sdk-profile", "recipe", "--sub-functions"],
    ["--on-device-sampling", "--num-speculative-tokens", "2"],
  ]) {
    const { code, stderr } = await runCli([...args, ...wrong], home, { env });
    expect([code, stderr.includes("export")]).toEqual([2, false]);
  }
  expect(existsSync(out)).toBe(false);
});

test("doctor --build needs a target, and an SDK", async () => {
  expect((await runCli(["doctor", "--build"], home, { env })).code).toBe(2);
  const { code, stderr } = await runCli(["doctor", "--target", "aic100", "--build"], home, { env });
  expect(code).toBe(3);
  expect(stderr).toMatch(/no-sdk has no dev\/inc\/QAicApi.hpp: install the Cloud AI Platform SDK/);
});
