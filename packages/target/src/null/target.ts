import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Graph, Net, Program } from "@llm/core-ir";
import { DTYPES } from "@llm/tensor";
import { canonicalJson } from "../canonical-json.ts";
import { TargetError } from "../error.ts";
import type { OptionTable } from "../options.ts";
import type { Plan } from "../plan.ts";
import type { Json, Target, Unit, Work } from "../target.ts";
import { nullLogits } from "./hash.ts";
import { DEVICES, NULL_DEVICES, type NullDevice } from "./limits.ts";
import { openNull } from "./session.ts";

export interface NullOptions {
  readonly like: NullDevice;
  readonly batchSize: number;
  readonly promptLen: number;
  readonly ctxLen: number;
}

const options: OptionTable<NullOptions> = {
  like: {
    kind: "choice",
    choices: NULL_DEVICES,
    default: "cpu",
    shapes: true,
    doc: "Whose limits and form of cache to take on",
  },
  batchSize: {
    kind: "number",
    whole: true,
    default: 4,
    min: 1,
    max: 4096,
    shapes: true,
    doc: "Slots: sequences held at once",
  },
  promptLen: {
    kind: "number",
    whole: true,
    default: 32,
    min: 1,
    shapes: true,
    doc: "Tokens of a prefill call, where shapes are fixed",
  },
  ctxLen: { kind: "number", whole: true, default: 256, min: 2, shapes: true, doc: "Tokens that a sequence can have" },
};

/** Memory of the device that doesn't exist. */
const TOTAL_BYTES = 1 << 30;
const BYTES_PER_TOKEN = 8; // two layers of one 32-bit number

/** Plans and compiles anything at once and computes nothing, under any device's limits: for tests of all that is around a device. */
export const nullTarget: Target<NullOptions> = {
  specificationVersion: 1,
  id: "null",
  title: "Null (no device, no model)",
  options,
  features: [{ name: "generate", state: "yes", shown: "tests", note: "a hash of the history, not a model" }],
  dialects: [],
  async doctor() {
    return [{ name: "null", state: "ok", detail: `needs nothing; takes on ${NULL_DEVICES.join(", ")}` }];
  },
  plan,
  pipeline: () => [],
  units,
  build,
  async open({ manifest }, opened) {
    const { like, batchSize, promptLen, ctxLen } = { ...defaults(), ...opened };
    const { vocab, width } = manifest.model;
    return openNull({ like, slots: batchSize, prompt: promptLen, context: ctxLen, vocab, width });
  },
  answers: nullLogits,
};

function defaults(): NullOptions {
  return Object.fromEntries(
    Object.entries(options).map(([name, { default: value }]) => [name, value]),
  ) as unknown as NullOptions;
}

function plan(model: Graph, given: NullOptions): Plan {
  const { like, batchSize, promptLen, ctxLen } = { ...defaults(), ...given };
  const vocab = Number(model.outputs.find(({ id }) => id === "logits")?.type.shape.at(-1) ?? 0);
  const limits = (slots: number) =>
    DEVICES[like].limits({ slots, context: ctxLen, prompt: promptLen, vocab, width: 0 });
  const weights = distinctWeightBytes(model);
  const kv = (slots: number): number => limits(slots).cacheTokens * BYTES_PER_TOKEN;
  const activations = (slots: number): number => slots * vocab * 4;
  const free = (slots: number): number => TOTAL_BYTES - weights - kv(slots) - activations(slots);
  let maxBatchSize = 0;
  for (let step = 1 << 20; step >= 1; step /= 2) if (free(maxBatchSize + step) >= 0) maxBatchSize += step;
  const fits = free(batchSize) >= 0;
  return {
    fits,
    maxBatchSize,
    devices: [
      {
        name: "null",
        total: TOTAL_BYTES,
        weights,
        kv: kv(batchSize),
        activations: activations(batchSize),
        reserve: 0,
        free: free(batchSize),
      },
    ],
    why: fits
      ? "everything fits into memory that doesn't exist"
      : `weights and cache need ${-free(batchSize)} bytes more than there are`,
  };
}

function distinctWeightBytes(model: Graph): number {
  const bytes = new Map<string, number>();
  for (const { value, expr } of model.weights) {
    const size = value.type.shape.reduce<number>(
      (product, dim) => product * Number(dim),
      DTYPES[value.type.dtype].bytes,
    );
    bytes.set(JSON.stringify(expr), size);
  }
  return [...bytes.values()].reduce((sum, size) => sum + size, 0);
}

const needs = { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] } as const;

/** As on a real device: one unit writes each net, one compiles it from what was written. */
function units(program: Program, given: NullOptions): readonly Unit[] {
  const compile: Json = { ...defaults(), ...given };
  return program.nets.flatMap((net): Unit[] => [
    {
      id: `${net.id}.net`,
      kind: "null-net@1",
      stage: "export",
      spec: netSpec(net),
      weights: net.graph.weights.map(({ expr }) => expr),
      after: [],
      makes: ["net.json"],
      needs,
      place: null,
    },
    {
      id: net.id,
      kind: "null-compile@1",
      stage: "compile",
      spec: compile,
      weights: [],
      after: [`${net.id}.net`],
      makes: ["net.null"],
      needs,
    },
  ]);
}

/** A net as JSON: constants by their hash. */
function netSpec({ id, graph, shapes = [], rank = 0 }: Net): Json {
  const constants = graph.constants.map(({ value, data }) => {
    const { buffer, byteOffset, byteLength } = data.data;
    const sha256 = createHash("sha256")
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest("hex");
    return { value, dtype: data.dtype, shape: data.shape, sha256 };
  });
  return { id, rank, shapes, graph: { ...graph, constants } } as unknown as Json;
}

async function build(unit: Unit, work: Work): Promise<void> {
  work.signal.throwIfAborted();
  if (unit.kind === "null-net@1") {
    const text = canonicalJson({ net: unit.spec, source: unit.weights.length > 0 ? work.source.fingerprint : null });
    await writeFile(join(work.folder, "net.json"), text);
  } else if (unit.kind === "null-compile@1") {
    const net = await readFile(join(work.input(unit.after[0]!), "net.json"));
    const digest = createHash("sha256").update(net).update(canonicalJson(unit.spec)).digest("hex");
    await writeFile(join(work.folder, "net.null"), `${digest}\n`);
  } else throw new TargetError("unit-invalid", `the null target makes no ${unit.kind}`);
  work.progress(1, 1);
}
