import { Builder, type Graph, type Value } from "@llm/core-ir";
import { describe, expect, test } from "vitest";
import {
  chooseMesh,
  DEFAULT_WORK,
  type DeviceDescription,
  type Mesh,
  meshText,
  parseMesh,
  planMesh,
  toMesh,
} from "./index.ts";

/** So many alike blocks with one key head, a fused q|k|v and an MLP four times as wide. */
function model({ blocks = 6, width = 64, heads = 8, vocab = 100 } = {}): Graph {
  const b = new Builder("planned");
  const tokens = b.dim("tokens", { min: 1, max: 512 });
  b.dim("context", { min: 1, max: 512 });
  const [ids, positions, slots] = ["ids", "positions", "slots"].map((name) =>
    b.input(name, "i32", [tokens]),
  ) as Value[];
  const dim = width / heads;
  const weight = (name: string, ...shape: number[]) => b.weight({ op: "tensor", name, shape });
  const table = weight("table", vocab, width);
  let x = b.block("embedding", () => b.embed(table, ids!));
  for (let i = 0; i < blocks; i++) {
    const entering = x;
    x = b.block(`block_${i}`, () => {
      const normed = b.norm(entering, { kind: "rms", eps: 1e-5 }, weight(`norm${i}`, width));
      const [q, k, v] = b.split(b.linear(normed, weight(`qkv${i}`, width + 2 * dim, width)), [width, dim, dim]);
      const out = b.attention(
        {
          q: b.reshape(q!, [heads, dim], 1),
          k: b.reshape(k!, [1, dim], 1),
          v: b.reshape(v!, [1, dim], 1),
          positions: positions!,
          slots: slots!,
        },
        { scale: 1 },
      );
      const middle = b.add(entering, b.linear(b.reshape(out, [width], 2), weight(`o${i}`, width, width)));
      const up = b.activation(
        b.linear(b.norm(middle, { kind: "rms", eps: 1e-5 }), weight(`up${i}`, 4 * width, width)),
        "gelu",
      );
      return b.add(middle, b.linear(up, weight(`down${i}`, width, 4 * width)));
    });
  }
  const rows = b.input("rows", "i32", [b.dim("outputs", { min: 0, max: 512 })]);
  b.output(
    b.block("lm_head", () => b.linear(b.norm(b.pick(x, rows), { kind: "rms", eps: 1e-5 }), table)),
    "logits",
  );
  return b.finish();
}

const device: DeviceDescription = {
  name: "thing",
  memory: 1e6,
  reserve: 0,
  bandwidth: 1e9,
  compute: 1e12,
  link: { bandwidth: 1e9, latency: 1e-6, way: "ring" },
  most: 8,
};
const work = { ...DEFAULT_WORK, context: 128, weightBits: 32, cacheBits: 32, talkBits: 32 };

test.each([
  ["2x4", { dp: 2, mp: 4, pp: 1 }, "2x4"],
  ["1×2×3", { dp: 1, mp: 2, pp: 3 }, "1x2x3"],
  ["8", { dp: 1, mp: 8, pp: 1 }, "1x8"],
])("%s is a mesh", (text, mesh, said) => {
  expect(parseMesh(text)).toEqual(mesh);
  expect(meshText(mesh)).toBe(said);
  expect(toMesh(mesh)).toEqual(mesh);
});

test.each(["", "2x", "0x2", "1x2x3x4", "2.5", "-1x2", "99x99", "a"])("%j is none", (text) => {
  expect(() => parseMesh(text)).toThrow(/mesh/);
});

describe("one mesh", () => {
  const graph = model();
  const block = 64 * (64 + 16) + 64 * 64 + 2 * 64 * 256;

  test("halves what can be shared, and keeps the one key head on both", () => {
    const [one] = planMesh(graph, toMesh("1x1"), device, work).shards;
    expect(one!.weights).toBe(4 * (100 * 64 + 6 * (64 + block)));
    const { shards } = planMesh(graph, toMesh("1x2"), device, work);
    const keys = 2 * 8 * 64; // of a block: both have them whole
    expect(shards.map(({ weights }) => weights)).toEqual(Array(2).fill(4 * (50 * 64 + 6 * (64 + (block + keys) / 2))));
    expect(shards[0]!.kv).toBe(one!.kv);
    expect(one!.kv).toBe(4 * 128 * 6 * 16);
  });

  test("has tables and heads of widths of their own, a shared one twice where tables are kept apart", () => {
    const weights = (more: object) => planMesh(graph, toMesh("1x1"), device, { ...work, ...more }).shards[0]!.weights;
    const layers = 4 * 6 * (64 + block);
    const table = 100 * 64;
    expect(weights({})).toBe(layers + 4 * table);
    expect(weights({ tableBits: 32 })).toBe(layers + 2 * 4 * table);
    expect(weights({ tableBits: 16, headBits: 8 })).toBe(layers + (2 + 1) * table);
  });

  test("does as many tokens as there are sequences, however they are divided", () => {
    const rates = [3, 4].map((batch) => planMesh(graph, toMesh("2x1"), device, { ...work, batch }));
    expect(rates[0]!.stepSeconds).toBe(rates[1]!.stepSeconds); // the fuller copy has two either way
    expect(rates[0]!.tokensPerSecond / rates[1]!.tokensPerSecond).toBeCloseTo(3 / 4);
  });

  test("is told a sum after attention, one after the MLP, one of the embedding, and the logits", () => {
    for (const way of ["direct", "ring", "host"] as const) {
      // With two devices it is the other's term, whichever way it goes.
      const linked = { ...device, link: { ...device.link, way } };
      const { shards, talksPerToken } = planMesh(graph, toMesh("1x2"), linked, work);
      expect(talksPerToken).toBe(1 + 2 * 6 + 1);
      expect(shards[0]!.toldPerToken).toBe(4 * (13 * 64 + 50));
      expect(shards[0]!.toldPerChunk).toBe(4 * (12 * 64 * 128 + 64 + 50));
    }
    const direct = { ...device, link: { ...device.link, way: "direct" as const } };
    const host = { ...device, link: { ...device.link, way: "host" as const } };
    const told = (by: DeviceDescription) => planMesh(graph, toMesh("1x4"), by, work).shards[0]!.toldPerToken;
    expect(told(direct)).toBe(4 * (3 * 13 * 64 + 75));
    expect(told(device)).toBe(4 * (1.5 * 13 * 64 + 75)); // round a ring: its share of the sums, then the others'
    expect(told(host)).toBe(4 * (13 * 64 + 75));
  });

  test("with stages: every block once, and the stream handed on", () => {
    const { shards } = planMesh(graph, toMesh("1x1x3"), device, work);
    const tables = 2 * 4 * 100 * 64; // the first stage looks up in it, the last multiplies by it
    expect(shards.reduce((sum, { weights }) => sum + weights, 0)).toBe(tables + 4 * 6 * (64 + block));
    expect(shards.map(({ toldPerToken }) => toldPerToken)).toEqual([0, 256, 256]);
    expect(() => planMesh(graph, toMesh("1x1x9"), device, work)).toThrow(/8 blocks can't be 9 stages/);
  });

  test("alike blocks are placed for three of them, and cost what all would", () => {
    const few = planMesh(model({ blocks: 3 }), toMesh("1x2"), device, work).shards[0]!;
    const many = planMesh(model({ blocks: 30 }), toMesh("1x2"), device, work).shards[0]!;
    const more = planMesh(model({ blocks: 57 }), toMesh("1x2"), device, work).shards[0]!;
    for (const key of ["weights", "kv", "toldPerToken", "toldPerChunk"] as const)
      expect(many[key] - few[key]).toBeCloseTo(more[key] - many[key], 6);
  });
});

describe("which mesh", () => {
  test("the fewest devices that hold a model too large for one, where talking costs more than it saves", () => {
    const small = { ...device, memory: 900_000, link: { ...device.link, latency: 1 } };
    const { chosen, plans, why } = chooseMesh(model(), small, work);
    expect(plans.find(({ mesh }) => meshText(mesh) === "1x1")!.fits).toBe(false);
    expect(chosen!.fits).toBe(true);
    expect(meshText(chosen!.mesh)).toBe("1x1x2");
    expect(plans[0]).toBe(chosen);
    expect(why).toMatch(/^1x1x2 of thing: .* next is /);
  });

  test("as wide as there are devices, where talking is cheap", () => {
    const close = { ...device, memory: 1e7, link: { bandwidth: 1e12, latency: 1e-9, way: "ring" as const } };
    expect(meshText(chooseMesh(model(), close, work).chosen!.mesh)).toBe("1x8");
    expect(meshText(chooseMesh(model(), close, work, { devices: 4 }).chosen!.mesh)).toBe("1x4");
  });

  test("one process, where all share one memory", () => {
    const machine = { ...device, memory: 1e7, shared: true };
    expect(meshText(chooseMesh(model(), machine, work).chosen!.mesh)).toBe("1x1");
  });

  test("the next best, where who knows more says that the best doesn't hold it", () => {
    const close = { ...device, memory: 1e7, link: { bandwidth: 1e12, latency: 1e-9, way: "ring" as const } };
    const { chosen, plans, why } = chooseMesh(model(), close, work, { holds: ({ mp }) => mp < 8 });
    expect(meshText(chosen!.mesh)).toBe("1x4");
    expect(plans[0]).toBe(chosen);
    expect(plans.find(({ mesh }) => mesh.mp === 8)!.fits).toBe(false);
    expect(why).not.toContain("1x8");
  });

  test("none, where none of them runs the model", () => {
    expect(() => chooseMesh(model(), device, work, { runs: () => false })).toThrow(/no mesh of up to 8 × thing runs/);
  });

  test("none, where nothing holds it", () => {
    const { chosen, why } = chooseMesh(model(), { ...device, memory: 1000 }, work);
    expect(chosen).toBeUndefined();
    expect(why).toMatch(/no mesh of 8 × thing holds it: .* short/);
  });

  test("all devices share layers where they are no power of two, if that is the only mesh", () => {
    const runs = ({ dp, mp, pp }: Mesh) => dp === 1 && pp === 1 && mp === 6;
    const { chosen, plans } = chooseMesh(model(), { ...device, most: 6 }, work, { runs });
    expect(plans.map(({ mesh }) => meshText(mesh))).toEqual(["1x6"]);
    expect(meshText(chosen!.mesh)).toBe("1x6");
  });
});
