import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import { optionsOf } from "../testing/options.ts";
import { type TinyBmodel, tinyBmodel } from "../testing/tiny-bmodel.ts";

const stage = { weights: { start: 0, bytes: 64 }, commands: { compute: 1, move: 1, bytes: 32 }, runtimeBytes: 64 };
const tiny: TinyBmodel = {
  chip: "BM1684X",
  version: "2.2+v1.30.2-20260831",
  nets: [{ name: "block_cache_0", addressMode: 1, stages: [stage] }],
  poolBytes: 128,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llm-open-"));
  await writeFile(join(folder, "vocab.json"), JSON.stringify({ a: 0, b: 1, c: 6 }));
});
afterAll(() => rm(folder, { recursive: true }));

async function artefact(given: Partial<TinyBmodel> = {}) {
  const file = join(folder, "model.bmodel");
  await writeFile(file, tinyBmodel({ ...tiny, ...given }));
  return bm1684xTarget.files!.artefact(file);
}

test("a bmodel is an artefact in its folder, with the vocabulary of the tokenizer beside it", async () => {
  const { folder: where, manifest } = await artefact();
  expect(where).toBe(folder);
  expect(manifest).toMatchObject({ target: "bm1684x", model: { name: "model", blocks: 1, width: 8, vocab: 7 } });
});

test("of one chip's parts of blocks, each block counts once, and all logits are those that a token is chosen of", async () => {
  const names = [0, 1].flatMap((block) => [0, 1].map((part) => `block_cache_${block}_part${part}_chip0`));
  const nets = [...names, "lm_head_chip0", "greedy_head"].map((name) => ({ ...tiny.nets[0]!, name }));
  const { manifest } = await artefact({ nets });
  expect(manifest.model).toMatchObject({ blocks: 2, vocab: 8 });
});

test("what it holds is said for programs and for people", async () => {
  await artefact();
  const { kind, details, lines } = await bm1684xTarget.files!.inspect!(join(folder, "model.bmodel"));
  expect(kind).toBe("bmodel");
  expect(details).toMatchObject({ chip: "BM1684X", memory: { weights: 64, instructions: 32 } });
  const [, text] = lines.find(([name]) => name === "block_cache_0")!;
  expect(text).toBe(
    "input_states f16[1, 1, 8] → output_states f16[1, 1, 8]; 64 B of weights, 2 commands (32 B), io-alone",
  );
});

test.each([
  ["for another chip", { chip: "BM1688" }, {}, /was compiled for BM1688, not for BM1684X/],
  ["split by the vendor's compiler", { devices: 2 }, {}, /copies all weights to each.*llm compile --num-device 2/],
  ["on one device named twice", {}, { device: [1, 1] }, /one is named twice/],
  ["twice on one device", {}, { mesh: "2x1" }, /2 copies on one device each: name 2, such as -d 0,1/],
  ["twice on one that is named twice", {}, { mesh: "2x1", device: [1, 1] }, /2 copies on one device each/],
] as const)("a bmodel %s is refused before a library is asked", async (_, file, options, message) => {
  await expect(bm1684xTarget.open(await artefact(file), optionsOf(options))).rejects.toThrow(message);
});

test("a list of nets decides how many devices there must be", async () => {
  const made = await artefact();
  const list = { schemaVersion: 1, bmodels: ["model.bmodel", "model.1.bmodel"], nets: [] };
  await writeFile(join(folder, "model.1.bmodel"), tinyBmodel(tiny));
  await writeFile(join(folder, "nets.json"), JSON.stringify(list));
  const { manifest } = await bm1684xTarget.files!.artefact(join(folder, "model.1.bmodel"));
  expect(manifest.files.map(({ path }) => path)).toEqual(list.bmodels);
  await expect(bm1684xTarget.open(made, optionsOf())).rejects.toThrow(/for 2 devices: name as many, such as -d 0,1/);
  await writeFile(join(folder, "nets.json"), JSON.stringify({ ...list, schemaVersion: 2 }));
  await expect(bm1684xTarget.open(made, optionsOf())).rejects.toThrow(/newer version/);
  await writeFile(join(folder, "nets.json"), JSON.stringify({ ...list, bmodels: ["../model.bmodel"] }));
  await expect(bm1684xTarget.open(made, optionsOf())).rejects.toThrow(/outside its folder/);
});
