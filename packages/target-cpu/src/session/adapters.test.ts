import { mergedWeights, openAdapter, openCheckpoint } from "@llm/checkpoint";
import { goldenDir, loraDir, loraNames, readGolden } from "@llm/fixtures";
import type { LowRankAdapter, Readers, Row, Session } from "@llm/target";
import { beforeAll, describe, expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { type BuiltGolden, buildFrom, buildGolden, cardOf, DEFAULTS, goldenGraph } from "../testing/open-golden.ts";

/** The fixture's adapter, and one that adds as much with the other sign, and only to the first matrices. */
const readers: Readers = {
  async adapter(path) {
    const [name, negative] = path.split(" ");
    const adapter = await openAdapter(loraDir(name!));
    return negative === undefined ? adapter : negated(adapter);
  },
};

function negated(adapter: LowRankAdapter): LowRankAdapter {
  const modules = adapter.modules.slice(0, 3).map((one) => ({ ...one, scale: -one.scale }));
  return { ...adapter, modules };
}

const open = (built: BuiltGolden): Promise<Session> =>
  cpuTarget.open(built.artefact, { ...DEFAULTS, batchSize: 3 }, readers);

/** The logits that rows want, one after another. */
async function logits(session: Session, rows: readonly Row[]): Promise<Float32Array[]> {
  const results = await session.step(rows);
  return results.map((result) => result.logits!.slice());
}

const worst = (a: Float32Array, b: Float32Array) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

/** What a model gives that an adapter was merged into. */
async function mergedLogits(name: string, path: string, tokens: Int32Array): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(goldenDir(name));
  const graph = goldenGraph(name);
  const adapter = { fingerprint: path, transposed: name === "gpt2", ...(await readers.adapter(path)) };
  using built = await buildFrom(mergedWeights(checkpoint.weights, adapter), graph, cardOf(name, graph));
  const session = await cpuTarget.open(built.artefact, DEFAULTS);
  const [result] = await logits(session, [{ slot: 0, at: 0, tokens, want: { kind: "logits", last: tokens.length } }]);
  await session.close();
  await checkpoint.close();
  return result!;
}

describe.each(loraNames())("adapters beside %s", (name) => {
  const tokens = Int32Array.from(readGolden(name).prompts[0]!.input_ids);
  const whole = { at: 0, tokens, want: { kind: "logits", last: tokens.length } } as const;
  let plain: Float32Array;
  beforeAll(async () => {
    using built = await buildGolden(name);
    const session = await open(built);
    [plain] = (await logits(session, [{ slot: 0, ...whole }])) as [Float32Array];
    await session.close();
  });

  test("rows of one step have none, one, and another", async () => {
    using built = await buildGolden(name, { options: { adapters: true } });
    const session = await open(built);
    const before = await logits(session, [{ slot: 0, ...whole }]);
    expect(worst(before[0]!, plain)).toBeLessThan(1e-5);
    const paths = [name, `${name} negative`];
    for (const [i, path] of paths.entries()) expect(await session.adapter!(path)).toBe(i + 1);
    const rows = [0, 1, 2].map((adapter): Row => ({ slot: adapter, adapter, ...whole }));
    const expected = [plain, ...(await Promise.all(paths.map((path) => mergedLogits(name, path, tokens))))];
    const actual = await logits(session, rows);
    for (const [i, want] of expected.entries()) expect(worst(actual[i]!, want)).toBeLessThan(1e-4);
    expect(worst(expected[1]!, expected[2]!)).toBeGreaterThan(1e-2);

    // Token by token they go through the model together, in whichever slots.
    for (const slot of [0, 1, 2]) await session.trim(slot, 0);
    for (let at = 0; at < tokens.length; at++) {
      const step = [2, 0, 1].map((adapter, slot): Row => {
        return { slot, at, adapter, tokens: tokens.subarray(at, at + 1), want: { kind: "logits", last: 1 } };
      });
      const seen = await logits(session, step);
      for (const [slot, adapter] of [2, 0, 1].entries()) {
        const vocab = session.limits.vocab;
        const want = expected[adapter]!.subarray(at * vocab, (at + 1) * vocab);
        expect(worst(seen[slot]!, want)).toBeLessThan(1e-4);
      }
    }
    await session.close();
  });

  test("stand beside packed weights as beside their floats", async () => {
    using built = await buildGolden(name, { format: "int8", options: { adapters: true } });
    const session = await open(built);
    const adapter = await session.adapter!(name);
    const [without, with_] = await logits(session, [
      { slot: 0, ...whole },
      { slot: 1, adapter, ...whole },
    ]);
    const expected = await mergedLogits(name, name, tokens);
    const rounding = worst(without!, plain);
    expect(worst(with_!, expected)).toBeLessThan(3 * rounding);
    expect(worst(with_!, without!)).toBeGreaterThan(3 * rounding);
    await session.close();
  });
});

describe("adapters that can't be taken", () => {
  const name = "llama_gqa_llama3";

  test("by a model that was made without, and ones that don't fit", async () => {
    using without = await buildGolden(name);
    const closed = await open(without);
    expect(closed.limits.adapters).toBe(0);
    await expect(closed.adapter!(name)).rejects.toMatchObject({ code: "unsupported" });
    await closed.close();

    using built = await buildGolden(name, { options: { adapters: true } });
    const session = await open(built);
    await expect(session.adapter!("gpt2")).rejects.toMatchObject({
      code: "adapter",
      message: expect.stringContaining("merge"),
    });
    const row: Row = { slot: 0, at: 0, tokens: Int32Array.of(1), adapter: 1 };
    await expect(session.step([row])).rejects.toMatchObject({
      code: "adapter",
      message: expect.stringMatching(/0 are/),
    });
    await session.close();
  });

  test("by a mesh's workers", () => {
    const options = { ...DEFAULTS, adapters: true, mesh: "1x2" };
    expect(() => cpuTarget.pipeline(goldenGraph(name), options)).toThrow(/--adapters/);
  });
});
