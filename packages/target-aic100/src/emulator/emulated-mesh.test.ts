import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { SharedProgram } from "../build/units.ts";
import { buildGolden, EMULATED } from "../testing/build-golden.ts";
import { EmulatedMesh } from "./emulated-mesh.ts";
import { openEmulator } from "./open-emulator.ts";

const OPTIONS = { promptLen: 4, fullBatchSize: 2, ctxLen: 32, mesh: "1x2" } as const;

test("each part lies in a folder of its own; they tell one another what layers compute, and no places or masks", async () => {
  using built = await buildGolden("bloom", OPTIONS);
  const { folder } = built.artefact;
  const { nets, moves } = JSON.parse(readFileSync(join(folder, "program.json"), "utf8")) as SharedProgram;
  expect(nets.every((net) => readdirSync(join(folder, net)).includes("model.onnx"))).toBe(true);
  const told = new Set(moves.map(({ from }) => from.output));
  expect([...told].filter((name) => !/^(?:embedding|block_\d+|lm_head|logits)\b/.test(name))).toEqual([]);
  // Whatever isn't put together is the residual stream, which each rank has whole.
  const handed = moves.filter(({ combine }) => combine === undefined);
  expect(handed.filter(({ from, to }) => from.net.split(".")[0] !== to.net.split(".")[0])).toEqual([]);
  expect(
    handed
      .map(({ from }) => from.output)
      .filter((name) => !/^(?:embedding|block_\d+)\.(?:binary|norm)(?:_\d+)?$/.test(name)),
  ).toEqual([]);
});

test("MXINT8 caches of all parts are rounded, and halves told are added up as such", async () => {
  const logits = await Promise.all(
    (["1x1", "1x2"] as const).map(async (mesh) => {
      using built = await buildGolden("llama_mha", { ...OPTIONS, mesh, format: "fp16", mxint8: true });
      const session = await openEmulator(built.artefact, EMULATED, { fill: Number.NaN });
      const tokens = Int32Array.of(5, 9, 200, 31);
      await session.step([{ slot: 1, at: 0, tokens }]);
      const want = { kind: "logits", last: 1 } as const;
      const [answer] = await session.step([{ slot: 1, at: 4, tokens: Int32Array.of(7), want }]);
      await session.close();
      return answer!.logits!.slice();
    }),
  );
  const apart = logits[0]!.map((x, i) => Math.abs(x - logits[1]![i]!));
  expect(Math.max(...apart)).toBeLessThan(0.02);
  expect(Math.max(...apart)).toBeGreaterThan(0);
});

test("parts whose blocks are functions say the same", async () => {
  const said = async (subFunctions: boolean) => {
    using built = await buildGolden("gpt2", { ...OPTIONS, subFunctions });
    const session = await openEmulator(built.artefact, EMULATED, { fill: Number.NaN });
    const want = { kind: "logits", last: 1 } as const;
    const [answer] = await session.step([{ slot: 0, at: 0, tokens: Int32Array.of(5, 9, 200), want }]);
    await session.close();
    return answer!.logits!.slice();
  };
  expect(await said(true)).toEqual(await said(false));
});

test("all parts are closed, also those that nobody asks", async () => {
  const card = (vocab: number) => ({ vocab, inputs: [], hasRings: false, close: vi.fn(async () => {}) });
  const cards = { first: card(300), second: card(300) };
  const byName = new Map(Object.entries(cards)) as unknown as ConstructorParameters<typeof EmulatedMesh>[1];
  await new EmulatedMesh({ nets: ["first", "second"], moves: [] }, byName).close();
  for (const { close } of Object.values(cards)) expect(close).toHaveBeenCalledOnce();
});

test("shards are for the emulator; a damaged list of them is one line", async () => {
  await expect(buildGolden("gpt2", { ...OPTIONS, emulate: false, format: "fp16" })).rejects.toThrow(
    "for cards, --device-group has the compiler share layers",
  );
  using built = await buildGolden("gpt2", OPTIONS);
  writeFileSync(join(built.artefact.folder, "program.json"), "{");
  await expect(openEmulator(built.artefact, EMULATED)).rejects.toThrow(/program\.json can't be read; export/);
});
