import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BmrtNet } from "@llm/runtime-native/bmrt";
import { describe, expect, test } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import type { Bmodel } from "../bmodel/bmodel.ts";
import { parseBmodel, readBmodel } from "../bmodel/read-bmodel.ts";
import type { NetsFile } from "../compile/nets-file.ts";
import { FIXTURES, fixtureFolder } from "../testing/fixtures.ts";
import { findLayout } from "./find-layout.ts";
import { listedRoles, recognisedRoles } from "./roles.ts";

/** What the runtime says of a bmodel's nets: stages of one name are one net. */
function netsOf({ nets }: Bmodel): readonly BmrtNet[] {
  return nets.map(({ name, addressMode, stages }) => ({
    name,
    addressMode,
    dynamic: stages[0]!.dynamic,
    inputs: stages[0]!.inputs.map(({ name: called, dtype }) => ({ name: called, dtype })),
    outputs: stages[0]!.outputs.map(({ name: called, dtype }) => ({ name: called, dtype })),
    stages: stages.map(({ inputs, outputs }) => ({
      inputs: inputs.map(({ shape, bytes }) => ({ shape, bytes })),
      outputs: outputs.map(({ shape, bytes }) => ({ shape, bytes })),
    })),
  }));
}

describe.each(FIXTURES)("what the compiler made in %s, without a compiler", (mode) => {
  const file = join(fixtureFolder(mode), "model.bmodel");

  test("is read", async () => {
    const model = await readBmodel(file);
    expect(model).toMatchObject({ chip: "BM1684X", devices: 1, bytes: statSync(file).size });
    expect(model.version).toContain("1.30.2");
    expect(model.kernel).toBeUndefined();
    expect(model.nets.map(({ name, stages }) => [name, stages.length])).toEqual([
      ["embedding", 2],
      ["block_0", 1],
      ["block_cache_0", 1],
      ["lm_head", 1],
      ["greedy_head", 1],
      ["sample_head", 1],
    ]);
    const [prompt, token] = ["block_0", "block_cache_0"].map((name) => model.nets.find((net) => net.name === name)!);
    expect(token!.stages[0]!.weights).toMatchObject({ ...prompt!.stages[0]!.weights, parts: expect.anything() });
    for (const { commands } of [...prompt!.stages, ...token!.stages]) expect(commands.move).toBeGreaterThan(0);
  });

  test("is the same model by the list beside it and by what its nets look like", async () => {
    const nets = netsOf(await readBmodel(file));
    const list = JSON.parse(readFileSync(join(fixtureFolder(mode), "nets.json"), "utf8")) as NetsFile;
    const listed = findLayout([nets], listedRoles(list));
    expect(listed).toMatchObject({ context: 8, prompt: 8, width: 64, vocab: 96 });
    expect(listed.layers).toHaveLength(1);
    expect(listed.greedy).toBeDefined();
    expect(findLayout([nets], recognisedRoles)).toEqual(listed);
  });

  test("is an artefact", async () => {
    const { manifest } = await bm1684xTarget.files!.artefact(file);
    expect(manifest).toMatchObject({ model: { vocab: 96, width: 64, blocks: 1, context: 8 } });
  });

  test("cut off anywhere, it is refused in one line", () => {
    const bytes = readFileSync(file);
    for (let i = 1; i < 60; i++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * i) / 60));
      expect(() => parseBmodel(cut), `${cut.length} bytes`).toThrow(
        /^[^\n]*(cut off|copy it again|ends too early)[^\n]*$/,
      );
    }
  });
});
