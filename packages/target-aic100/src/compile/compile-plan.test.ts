import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { planCompile } from "./compile-plan.ts";
import { customIoFile } from "./custom-io.ts";
import { partitionFile } from "./partition.ts";
import { type CompileSettings, DEFAULT_SETTINGS } from "./settings.ts";
import { specializationsFile, specializationsOf } from "./specializations.ts";

const GOLDEN = join(import.meta.dirname, "testing", "golden");
const STATES = ["past_key.0", "past_value.0", "past_key.1", "past_value.1"];

const settings = (given: Partial<CompileSettings>): CompileSettings => ({ ...DEFAULT_SETTINGS, ...given });
const plan = (given: Partial<CompileSettings>, key = "k") => planCompile(settings(given), { states: STATES, key });

const starcoder = { profile: "recipe", name: "starcoder", promptLen: 256, ctxLen: 1024 } as const;
const gpt2 = { name: "gpt2" } as const;

/** The published programs' own settings; what they made of them lies in the folder of that name. */
const CASES: Readonly<Record<string, Partial<CompileSettings>>> = {
  "recipe-1": { ...starcoder, mxfp6: true },
  "recipe-2": starcoder,
  "recipe-3": { ...starcoder, mxfp6: true, devices: 4 },
  "recipe-4": { ...starcoder, batchSize: 2, promptLen: 128, ctxLen: 2048, numCores: 14, devices: 4 },
  "recipe-5": { ...starcoder, batchSize: 56, promptLen: 1, ctxLen: 2048, numCores: 14, mxfp6: true },
  "recipe-6": {
    ...starcoder,
    name: "gpt_bigcode-santacoder",
    batchSize: 4,
    promptLen: 32,
    ctxLen: 512,
    numCores: 14,
  },
  "2024-05-1": { ...gpt2, profile: "2024-05", mxfp6: true },
  "2024-05-2": {
    ...gpt2,
    profile: "2024-05",
    batchSize: 3,
    numCores: 14,
    devices: 4,
    mxfp6: true,
    mxint8: true,
    mos: 14,
    depthFirst: true,
  },
  "1.21": { ...gpt2, profile: "1.21", mxfp6: true },
  "1.22": { ...gpt2, profile: "1.22", devices: 2, mxfp6: true, mxint8: true, mos: 1, depthFirst: true },
  "today-1": { ...gpt2, profile: "today" },
  "today-2": {
    ...gpt2,
    profile: "today",
    hardware: "ai200",
    devices: 4,
    mxfp6: true,
    mxint8: true,
    mos: 1,
    depthFirst: true,
  },
};

test("every golden folder has its case", () => {
  const folders = readdirSync(GOLDEN).filter((name) => name !== "samples");
  expect(folders.sort()).toEqual(Object.keys(CASES).sort());
});

test.each(Object.entries(CASES))("%s: command and files are the published ones, to the byte", (name, given) => {
  const { program, args, files, folder } = plan(given);
  const hash = /^qpc-([0-9a-f]{16})$/.exec(folder)?.[1];
  const put = (text: string) => (hash ? text.replaceAll("{HASH}", hash) : text);
  const golden = join(GOLDEN, name);
  expect([program, ...args].join(" ")).toBe(put(readFileSync(join(golden, "command.txt"), "utf8").trim()));
  const paths = filesBelow(golden).filter((path) => path !== "command");
  for (const path of paths) expect(files[put(path)], path).toBe(readFileSync(join(golden, `${path}.txt`), "utf8"));
  const others = Object.keys(files).filter((path) => !paths.map(put).includes(path));
  expect(others).toEqual(hash ? [`${folder}/hashed_compile_params.json`] : []);
});

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => relative(folder, join(parentPath, name.slice(0, -".txt".length))));
}

const sample = (name: string) => readFileSync(join(GOLDEN, "samples", `${name}.txt`), "utf8");

test("configuration files are written as the collected samples are, to the byte", () => {
  expect(specializationsFile(settings({}))).toBe(sample("specializations.flat.json"));
  expect(specializationsFile(settings({ profile: "today" }))).toBe(sample("specializations.named.json"));
  const single = settings({ batchSize: 64, promptLen: 1, ctxLen: 256 });
  expect(specializationsFile(single)).toBe(sample("specializations.pl1.json"));
  const continuous = settings({ promptLen: 128, ctxLen: 2048, fullBatchSize: 4 });
  expect(specializationsFile(continuous)).toBe(sample("specializations.continuous_batching.json"));
  expect(specializationsFile(settings({ speculate: [3] }))).toBe(sample("specializations.tlm_k3.json"));
  const lengths = { prefill: [4096, 8192], decode: [4096, 8192] };
  const shorter = settings({ promptLen: 128, ctxLen: 8192, compCtxLengths: lengths });
  expect(specializationsFile(shorter)).toBe(sample("specializations.ccl.json"));
  expect(customIoFile(settings({ profile: "recipe" }), STATES)).toBe(sample("custom_io_fp16.yaml"));
  expect(customIoFile(settings({ profile: "2024-05", mxint8: true }), STATES)).toBe(sample("custom_io_mxint8.yaml"));
  expect(partitionFile({ devices: 4, numCores: 16, connection: "p2p" })).toBe(sample("mdp_ts_4.json"));
  expect(partitionFile({ devices: 2, numCores: 16, connection: "host" })).toBe(sample("mdp_2soc_host.json"));
});

test("several entries of a kind are counted; more slots than run at once keep their cache", () => {
  const file = specializationsFile(settings({ profile: "today", speculate: [1, 3] }));
  const names = (JSON.parse(file) as { specializations: { name: string }[] }).specializations.map(({ name }) => name);
  expect(names).toEqual(["Prefill", "Decode_0", "Decode_1"]);
  const slots = settings({ fullBatchSize: 4, kvCacheBatchSize: 6, promptLen: 1 });
  expect(specializationsOf(slots)).toEqual([{ batch_size: "4", seq_len: "1", ctx_len: "128", full_batch_size: "6" }]);
});

test("contexts that a step may see: none short, the whole one last, none twice, and not too many", () => {
  const lengths = (prefill: number[], decode: number[], promptLen = 32) =>
    specializationsOf(settings({ promptLen, ctxLen: 8192, compCtxLengths: { prefill, decode } })).map(
      (entry) => `${entry.seq_len}:${entry.comp_ctx_lengths}`,
    );
  expect(lengths([100], [2048])).toEqual(["32:1024", "32:8160", "1:2048", "1:8192"]);
  expect(lengths([2048], [4096], 1)).toEqual(["1:2048", "1:4096", "1:8192"]);
  expect(() => lengths([1100, 1200, 1300, 1400, 1500], [])).toThrow("6 lengths; the compiler takes 5");
});

test("a QPC's key has everything that shapes it, though its name hasn't", () => {
  const one = plan({ profile: "recipe", mxint8: false });
  const other = plan({ profile: "recipe", mxint8: true });
  expect(other.folder).toBe(one.folder);
  expect(other.key).not.toBe(one.key);
  expect(plan({ profile: "recipe" }, "another graph").key).not.toBe(one.key);
  expect(plan({ profile: "recipe" }).key).toBe(one.key);
  expect(plan({ profile: "today", mos: 2 }).folder).not.toBe(plan({ profile: "today" }).folder);
});

test.each<[Partial<CompileSettings>, string]>([
  [{ numCores: 17 }, "--num-cores 17"],
  [{ devices: 17 }, "17 devices"],
  [{ batchSize: 0 }, "--batch-size 0"],
  [{ promptLen: 256 }, "--prompt-len 256 is longer than --ctx-len 128"],
  [{ mos: 0 }, "--mos 0"],
  [{ name: "../x" }, "--name"],
  [{ profile: "recipe", hardware: "ai200" }, "compiles for ai100, not for ai200"],
  [{ profile: "recipe", fullBatchSize: 4 }, "a newer profile"],
  [{ profile: "recipe", mos: 2 }, "has no --mos"],
  [{ profile: "2024-05", subFunctions: true }, "has no --sub-functions"],
  [{ fullBatchSize: 4, kvCacheBatchSize: 2 }, "kvCacheBatchSize 2 is less than"],
])("%o is refused in one line", (given, message) => {
  expect(() => plan(given)).toThrow(message);
});
