import { corePasses, type Net, programOf, runPipeline } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import { shapeOf } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { bm1684xTarget } from "../bm1684x-target.ts";
import type { JoinSpec } from "../compile/units.ts";
import { impliedDefaults } from "../implied-defaults.ts";
import type { Bm1684xOptions } from "../options.ts";
import { FAMILIES } from "../testing/families.ts";
import { optionsOf } from "../testing/options.ts";
import { portsOf } from "./net-ports.ts";

function graphOf(config: Readonly<Record<string, unknown>>) {
  return architectureFor(config).build(new Config(config));
}

function programFor(config: Readonly<Record<string, unknown>>, given: Partial<Bm1684xOptions> = {}) {
  const graph = graphOf(config);
  const options = optionsOf({ ctxLen: 32, ...given });
  const passes = [...corePasses, ...(bm1684xTarget.passes ?? [])];
  const program = runPipeline(programOf(graph), bm1684xTarget.pipeline(graph, options), { passes });
  return { program, units: bm1684xTarget.units(program, options) };
}

const port = (net: Net | undefined) => {
  const { inputs, outputs } = portsOf(net!);
  return [inputs, outputs].map((ports) => ports.map(({ name, shape, dtype }) => `${name} ${dtype}[${shape}]`));
};

describe("nets", () => {
  it("are the vendor's, their inputs in the order that sessions count on", () => {
    const { program } = programFor(FAMILIES.llama!);
    const net = (id: string) => program.nets.find((one) => one.id === id);
    expect(port(net("embedding"))).toEqual([["input_ids i32[1,32]"], ["output_states f32[1,32,256]"]]);
    expect(port(net("embedding_cache"))).toEqual([["input_ids i32[1,1]"], ["output_states f32[1,1,256]"]]);
    const kv = (n: number) => [`k_cache f32[1,${n},2,64]`, `v_cache f32[1,${n},2,64]`];
    expect(port(net("block_1"))).toEqual([
      ["input_states f32[1,32,256]", "position_ids i32[1,32]", "attention_mask f32[1,1,32,32]"],
      ["output_states f32[1,32,256]", ...kv(32)],
    ]);
    expect(port(net("block_cache_1"))).toEqual([
      [
        "input_states f32[1,1,256]",
        "position_ids i32[1,1]",
        "attention_mask f32[1,1,1,33]",
        "history_k f32[1,32,2,64]",
        "history_v f32[1,32,2,64]",
      ],
      ["output_states f32[1,1,256]", ...kv(1)],
    ]);
    expect(port(net("lm_head"))).toEqual([["input_states f32[1,1,256]"], ["logits f32[1,320]"]]);
    expect(port(net("greedy_head"))).toEqual([["logits f32[1,320]"], ["token i32[1,1]"]]);
  });

  it("take positions only where a block turns something by them", () => {
    const { program } = programFor(FAMILIES.gpt2!);
    const inputs = (id: string) => portsOf(program.nets.find((net) => net.id === id)!).inputs;
    expect(inputs("embedding").map(({ meaning }) => meaning.role)).toEqual(["ids", "positions"]);
    expect(inputs("block_0").map(({ meaning }) => meaning.role)).toEqual(["hidden", "mask"]);
  });

  it("have a mask of its own for each window", () => {
    const { program } = programFor({ ...FAMILIES.llama, model_type: "mistral", sliding_window: 8 });
    const mask = portsOf(program.nets.find(({ id }) => id === "block_0")!).inputs.at(-1);
    expect(mask).toMatchObject({ name: "attention_mask_window_8", meaning: { role: "mask", window: 8 } });
  });

  it("are shared out over chips in runs, each chip with a file of its own", () => {
    const { units } = programFor(
      { ...FAMILIES.llama, num_hidden_layers: 4 },
      { numDevice: 2, mode: "int4", name: "x" },
    );
    const [first, second] = units
      .filter(({ id }) => id.startsWith("bmodel"))
      .map(({ spec }) => spec as unknown as JoinSpec);
    expect(first!.file).toBe("x_int4_2dev.bmodel");
    expect(second!.file).toBe("x_int4_2dev.1.bmodel");
    const ofChip = (spec: JoinSpec) => spec.parts.map(({ unit }) => unit).filter((unit) => /^block_\d/.test(unit));
    expect([ofChip(first!), ofChip(second!)]).toEqual([
      ["block_0", "block_1"],
      ["block_2", "block_3"],
    ]);
    expect(second!.parts.map(({ unit }) => unit)).toContain("lm_head");
    expect(first!.list?.bmodels).toEqual([first!.file, second!.file]);
    expect(first!.list?.nets.find(({ name }) => name === "block_cache_3")?.device).toBe(1);
  });
});

describe("nets of chips that share each layer", () => {
  const { program, units } = programFor(FAMILIES.llama!, { mesh: "1x2", name: "x" });
  const net = (id: string) => program.nets.find((one) => one.id === id);

  it("are parts of blocks up to what is added up, each with its heads and columns", () => {
    const stream = "input_states f32[1,32,256]";
    expect(port(net("block_1_part0_chip1"))).toEqual([
      [stream, "input_states_1 f32[1,32,256]", "position_ids i32[1,32]", "attention_mask f32[1,1,32,32]"],
      [
        "k_cache f32[1,32,1,64]",
        "v_cache f32[1,32,1,64]",
        "output_states f32[1,32,256]",
        "partial_states f32[1,32,256]",
      ],
    ]);
    expect(port(net("block_1_part1_chip1"))).toEqual([
      [stream, "input_states_1 f32[1,32,256]"],
      ["output_states f32[1,32,256]", "partial_states f32[1,32,256]"],
    ]);
    const weights = net("block_1_part1_chip0")!.graph.weights.map(({ expr }) => shapeOf(expr).join("x"));
    expect(weights).toEqual(["256", "256x256", "256x256", "256x256"]); // the norm, half of 512 columns
    expect(port(net("lm_head_chip1"))[1]).toEqual(["logits f32[1,160]"]);
  });

  it("say what their terms are terms of, and where their logits begin", () => {
    const { outputs } = portsOf(net("block_0_part0_chip1")!);
    const { inputs } = portsOf(net("block_0_part1_chip0")!);
    const term = outputs.at(-1)!.meaning;
    expect(term.role).toBe("term");
    expect(inputs.map(({ meaning }) => meaning)).toContainEqual({ ...term, role: "hidden" });
    expect(portsOf(net("lm_head_chip1")!).outputs[0]!.meaning).toEqual({ role: "logits", from: 160 });
  });

  it("are in a file for each chip, the first with what they don't share", () => {
    const joins = units.filter(({ id }) => id.startsWith("bmodel")).map(({ spec }) => spec as unknown as JoinSpec);
    expect(joins.map(({ file }) => file)).toEqual(["x_F16_2dev.bmodel", "x_F16_2dev.1.bmodel"]);
    expect(joins[0]!.list).toMatchObject({ devices: 2, mesh: "1x2" });
    const [first, second] = joins.map(({ parts }) => parts.map(({ unit }) => unit));
    expect(second!.every((unit) => unit.endsWith("_chip1"))).toBe(true);
    const own = first!.filter((unit) => !unit.endsWith("_chip0"));
    expect(own).toEqual(["embedding_cache", "embedding", "greedy_head", "sample_head"]);
    expect(first).toHaveLength(own.length + second!.length);
  });
});

describe("file names", () => {
  const fileOf = (given: Partial<Bm1684xOptions>) =>
    (programFor(FAMILIES.gpt2!, given).units.find(({ id }) => id === "bmodel")!.spec as unknown as JoinSpec).file;

  it("are those that people have", () => {
    expect(fileOf({ mode: "int4", name: "wizardcoder-15B" })).toBe("wizardcoder-15B_int4.bmodel");
    expect(fileOf({ mode: "F16", name: "wizardcoder-15B" })).toBe("wizardcoder-15B_F16_1dev.bmodel");
    expect(fileOf({ mode: "int8", name: "wizardcoder-15B", numDevice: 2 })).toBe("wizardcoder-15B_int8_2dev.bmodel");
    expect(fileOf({})).toBe("gpt2_F16_1dev.bmodel");
  });
});

describe("options", () => {
  it.each([
    [{ mode: "int4", qGroupSize: 48 } as const, "--q-group-size 48: it is one of 32, 64, 128"],
    [{ numDevice: 3 }, "--num-device 3: it is 1, 2, 4 or 8"],
    [{ mesh: "1x1x4" }, "--mesh 1x1x4: this model has 2 blocks to share out"],
    [{ mesh: "2x2", numDevice: 4 }, "--mesh 2x2 is 2 chips a copy, and --num-device says 4"],
    [{ mesh: "1x2x2" }, "--mesh 1x2x2: chips either share each layer (1x4) or have some each (1x1x4)"],
    [{ mesh: "1x3" }, "--mesh 1x3: 3 chips: it is 1, 2, 4 or 8"],
    [{ mesh: "1x2", numDevice: 4 }, "--mesh 1x2 is 2 chips, and --num-device says 4"],
    [{ ctxLen: 65 }, "--ctx-len 65: this model takes at most 64 tokens"],
  ])("%j", (given, message) => {
    expect(() => programFor(FAMILIES.llama!, given)).toThrow(message);
  });

  it("leave a length that nobody asked for at the model's own, and refuse one that was", () => {
    expect(impliedDefaults({}, graphOf(FAMILIES.llama!))).toEqual({ ctxLen: 64 });
    expect(() => programFor(FAMILIES.llama!, { ctxLen: 512 })).toThrow(
      "--ctx-len 512: this model takes at most 64 tokens",
    );
  });
});
