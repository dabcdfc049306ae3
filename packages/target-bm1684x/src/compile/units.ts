import { type Graph, type Net, type Program, printGraph, stageEdges } from "@llm/core-ir";
import { type Json, TargetError, type Unit } from "@llm/target";
import { shapeOf, sizeOf, type WeightExpr } from "@llm/tensor";
import { type Port, type Ports, portsOf } from "../nets/net-ports.ts";
import type { Bm1684xOptions } from "../options.ts";
import { chipsOf } from "../plan/sharing.ts";
import { COMPILER } from "../tools/toolchain.ts";
import type { NetSettings } from "./compile-net.ts";
import { bmodelName } from "./file-name.ts";
import { NETS_FILE, type NetsFile } from "./nets-file.ts";

/** What a unit of one net is told. */
export interface NetSpec {
  readonly graph: string;
  /** What the net is called in the bmodel; nets of one name and other sizes are its stages. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly settings: NetSettings;
}

/** What the unit that joins them is told. */
export interface JoinSpec {
  readonly file: string;
  /** In the order of nets and their stages. */
  readonly parts: readonly { readonly unit: string; readonly file: string }[];
  /** What all files of the model hold; beside the first. */
  readonly list?: NetsFile;
}

export const NET_KIND = "bm1684x-net@3";
export const JOIN_KIND = "bm1684x-bmodel@2";

/** A unit for each net, and one for each chip that makes a single file of its nets. */
export function bm1684xUnits(program: Program, options: Bm1684xOptions): readonly Unit[] {
  const nets = [...program.nets].sort((a, b) => order(a.id) - order(b.id));
  const chips = chipsOf(options);
  const homes = homesOf(nets, chips);
  const described = nets.map((net, i) => ({ net, device: homes[i]!, ...describe(net) }));
  const model = program.nets[0]!.graph.name.split(".")[0]!;
  const files = Array.from({ length: chips }, (_, device) =>
    bmodelName({ ...options, numDevice: chips }, model, device),
  );
  const list: NetsFile = {
    schemaVersion: 1,
    chip: "bm1684x",
    mode: options.mode,
    ...(options.mode === "F16" ? {} : { groupSize: options.qGroupSize }),
    seqLength: seqLengthOf(nets),
    devices: chips,
    ...(chips > 1 ? { mesh: isSliced(nets) ? `1x${chips}` : `1x1x${chips}` } : {}),
    bmodels: files,
    nets: described.map(({ name, device, ports }) => ({
      name,
      ...(chips > 1 ? { device } : {}),
      ...ports,
    })),
  };
  const joins = files.map((file, device) => {
    const own = described.filter((net) => net.device === device);
    const parts = own.map(({ net, name }) => ({ unit: net.id, file: `${name}.bmodel` }));
    return joinUnit(device, { file, parts, ...(device === 0 ? { list } : {}) });
  });
  return [...described.map(({ net, ...about }) => netUnit(net, about)), ...joins];
}

function joinUnit(device: number, spec: JoinSpec): Unit {
  return {
    id: device === 0 ? "bmodel" : `bmodel_${device}`,
    kind: JOIN_KIND,
    stage: "compile",
    spec: spec as unknown as Json,
    weights: [],
    after: spec.parts.map(({ unit }) => unit),
    makes: [spec.file, ...(spec.list ? [NETS_FILE] : [])],
    needs: { ramBytes: JOIN_BYTES, diskBytes: 0, cores: 1, tools: [COMPILER] },
    place: "",
  };
}

/** The tool that joins copies from file to file. */
const JOIN_BYTES = 256 << 20;

/** Tokens of a prompt's nets. */
function seqLengthOf(nets: readonly Net[]): number {
  const ids = nets.find(({ id }) => id === "embedding")?.graph.inputs.find(({ id }) => id === "ids");
  return Number(ids?.type.shape.at(-1) ?? 0);
}

/**
 * Which chip each net runs on: where all share each layer, its rank says so, and the first has what they don't share. Else blocks
 * go in runs of about equal weight, what comes before them to the first, what comes after to the last.
 */
export function homesOf(nets: readonly Net[], count: number): readonly number[] {
  if (isSliced(nets)) return nets.map(({ rank = 0 }) => rank);
  const blocks = nets.filter(({ id }) => /^block_\d+$/.test(id));
  if (blocks.length < count)
    throw new TargetError(
      "option-invalid",
      `--num-device ${count}: this model has ${blocks.length} blocks to share out`,
    );
  const edges = stageEdges(
    blocks.map(({ graph }) => weightBytes(graph)),
    count,
  );
  const deviceOf = (block: number) => edges.findLastIndex((from) => from <= block);
  return nets.map(({ id }) => {
    if (id.startsWith("embedding")) return 0;
    const layer = /^block_(?:cache_)?(\d+)$/.exec(id)?.[1];
    return layer === undefined ? count - 1 : deviceOf(Number(layer));
  });
}

/** Whether chips share each layer. */
function isSliced(nets: readonly Net[]): boolean {
  return nets.some(({ rank }) => rank !== undefined);
}

/** Embedding's stage for one token is its first; blocks for prompts come before those with a history. */
function order(id: string): number {
  const rank = ["embedding_cache", "embedding", "block", "block_cache", "lm_head", "greedy_head", "sample_head"];
  const [, kind, layer = 0, part = 0] = /^(.*?)(?:_(\d+))?(?:_part(\d+))?(?:_chip\d+)?$/.exec(id)!;
  return rank.indexOf(kind!) * 1e6 + Number(layer) * 1e2 + Number(part);
}

interface Described {
  readonly name: string;
  readonly settings: NetSettings;
  readonly ports: Ports;
}

function describe(net: Net): Described {
  const { id, graph } = net;
  const chooses = id === "greedy_head" || id === "sample_head";
  const settings: NetSettings = {
    numbers: chooses ? "F32" : "F16",
    halfInputs: !chooses,
    halfOutputs: !chooses && !id.startsWith("lm_head"),
    ioAlone: graph.states.length > 0,
  };
  const ports = portsOf(net);
  const half = (port: Port, isHalf: boolean): Port =>
    isHalf && port.dtype === "f32" ? { ...port, dtype: "f16" } : port;
  return {
    name: id === "embedding_cache" ? "embedding" : id,
    settings,
    ports: {
      inputs: ports.inputs.map((port) => half(port, settings.halfInputs)),
      outputs: ports.outputs.map((port) => half(port, settings.halfOutputs)),
    },
  };
}

function netUnit({ id, graph }: Net, { name, settings, ports }: Described): Unit {
  const spec: NetSpec = {
    graph: printGraph(graph),
    name,
    inputs: ports.inputs.map((port) => port.name),
    outputs: ports.outputs.map((port) => port.name),
    settings,
  };
  return {
    id,
    kind: NET_KIND,
    stage: "compile",
    spec: spec as unknown as Json,
    weights: graph.weights.map(({ expr }) => expr),
    after: [],
    makes: [`${name}.bmodel`],
    needs: { ...needs(graph), cores: 1, tools: [COMPILER] },
    place: null,
  };
}

/** The compiler itself, before any weights. */
const COMPILER_BYTES = 300e6;

/** What compiling takes beside it, for each byte of the arrays; see docs/bm1684x.md for the measurement. */
const RAM_PER_BYTE = 2.1;
const DISK_PER_BYTE = 2;

function needs(graph: Graph): { readonly ramBytes: number; readonly diskBytes: number } {
  const bytes = weightBytes(graph);
  return {
    ramBytes: Math.round(COMPILER_BYTES + RAM_PER_BYTE * bytes),
    diskBytes: Math.round(DISK_PER_BYTE * bytes),
  };
}

function weightBytes(graph: Graph): number {
  return graph.weights.reduce((sum, { expr }) => sum + arrayBytes(expr), 0);
}

/** Bytes of a weight's arrays. */
function arrayBytes(expr: WeightExpr): number {
  const size = sizeOf(shapeOf(expr));
  if (expr.op !== "encode") return size * 4;
  const { format, group = 64 } = expr.format;
  return (size * (format === "bm1684x_w4" ? 4 : 8)) / 8 + (size / group) * 5;
}
