import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { corePasses, type Graph, type Program, programOf, runPipeline } from "@llm/core-ir";
import { toOnnx, transformersInterface, writeOnnx } from "@llm/exporter";
import { TargetError } from "@llm/target";
import { parseMesh } from "@llm/target/mesh";
import type { WeightSource } from "@llm/tensor";
import { makeFolder } from "@llm/tensor/files";
import { aic100Target } from "../aic100-target.ts";
import { writeCardModel } from "../build/build-model.ts";
import { customIoFile } from "../compile/custom-io.ts";
import { DEFAULT_SETTINGS } from "../compile/settings.ts";
import { cachesOf, contextOfGraph, generationOfGraph } from "../graph/form.ts";
import { generationOf, OPSETS } from "../graph/settle.ts";
import { type Aic100Options, defaultOptions } from "../options.ts";
import { sampleInputs } from "./sample-inputs.ts";
import { transform } from "./transform.ts";

/** Text to token ids: what is needed of a tokenizer here. */
export interface Encoder {
  encode(text: string): ArrayLike<number>;
}

export interface ExportForAic100 {
  /** A model's graph, which is transformed first; or one that was. Not both. */
  readonly model?: Graph;
  readonly transformed?: Program;
  readonly source: WeightSource;
  readonly tokenizer: Encoder;
  /** Where files go, and the model part of their names. */
  readonly folder: string;
  readonly name: string;
  /** Tokens of the sample inputs, and the text that they are. */
  readonly seqLength?: number;
  readonly inputStr?: string;
  /** With a cache that stays on the card; false: every call is the whole text, as encoders do it. */
  readonly kv?: boolean;
  /** Give the model's file too, not only the folder. */
  readonly returnPath?: boolean;
  /** Write NAME_kv.onnx, and NAME_kv_fp16.onnx; the second unless said, and of what was transformed what it computes in. */
  readonly saveFp32Onnx?: boolean;
  readonly saveFp16Onnx?: boolean;
  /** Of the transform. What was transformed has its own. */
  readonly options?: Partial<Aic100Options>;
}

/** What a file is named for: numbers in float32, or for a card that computes in fp16. */
type Precision = "f32" | "f16";

/**
 * Writes a model for the vendor's compiler: ONNX in float32, in fp16 or both, the file that says how caches are kept, and
 * sample inputs. Gives the folder, or with `returnPath` the folder and the model's file. SDKs by `cache_index` take float32 graphs
 * and make halves of them: what they get as fp16 is in float32, and clipped to fp16's range.
 */
export async function exportForAic100(
  request: ExportForAic100,
): Promise<string | readonly [folder: string, file: string]> {
  const { source, folder, name, options = {}, kv = true, returnPath = false } = request;
  check(request);
  const precisions = precisionsOf(request);
  const { subFunctions = false } = options;
  await makeFolder(folder);
  let file = "";
  let sampled: Graph | undefined;
  for (const precision of precisions) {
    const graph = graphFor(request, precision);
    sampled = graph;
    const base = `${name.replaceAll("/", "_")}${kv ? "_kv" : ""}${precision === "f16" ? "_fp16" : ""}`;
    if (kv) {
      const generation = generationOfGraph(graph);
      const clip = precision === "f16" && generation === "index";
      await writeCardModel(graph, { opset: OPSETS[generation], subFunctions, clip }, { folder, name: base, source });
      await writeCustomIo(folder, graph, subFunctions);
    } else {
      const opset = OPSETS[generationOf(options.sdk ?? defaultOptions().sdk)];
      await writeOnnx(toOnnx(graph, { opset }), { folder, name: base, source });
    }
    file = join(folder, `${base}.onnx`);
  }
  await writeSamples(folder, sampled!, request);
  return returnPath ? [folder, file] : folder;
}

function check({ model, transformed, kv = true, options = {} }: ExportForAic100): void {
  if ((model === undefined) === (transformed === undefined))
    throw wrong("exportForAic100 takes a model or a transformed one, and not both");
  if ((transformed?.nets.length ?? 1) > 1 || (options.mesh !== undefined && parseMesh(options.mesh).mp > 1))
    throw wrong("exportForAic100 writes one model: leave mesh out; llm export writes shards");
  if (!transformed) return;
  if (!kv) throw wrong("a transformed model has its cache: give the model itself for kv: false");
  const { graph } = transformed.nets[0]!;
  const context = contextOfGraph(graph);
  if (options.ctxLen !== undefined && context !== undefined && options.ctxLen !== context)
    throw wrong(`options.ctxLen is ${options.ctxLen}, and the model was transformed for ${context}`);
  const { sdk } = options;
  if (sdk !== undefined && sdk !== "auto" && generationOf(sdk) !== generationOfGraph(graph))
    throw wrong(`options say SDK ${sdk}, and the model was transformed for another: transform it with the same`);
}

/** Which files are written: of a transformed model what it computes in, and nothing else. */
function precisionsOf({ transformed, saveFp32Onnx, saveFp16Onnx }: ExportForAic100): readonly Precision[] {
  const possible = transformed ? computesIn(transformed.nets[0]!.graph) : BOTH;
  const asked: Readonly<Record<Precision, boolean>> = {
    f32: saveFp32Onnx ?? !possible.includes("f16"),
    f16: saveFp16Onnx ?? possible.includes("f16"),
  };
  const precisions = BOTH.filter((precision) => asked[precision]);
  if (precisions.length === 0)
    throw wrong("saveFp32Onnx and saveFp16Onnx are both false: there would be nothing to write");
  if (precisions.some((precision) => !possible.includes(precision)))
    throw wrong(
      `a transformed model computes in one precision, this one in ${possible[0] === "f16" ? "fp16" : "float32"}: give the model itself to have another file`,
    );
  return precisions;
}

const BOTH: readonly Precision[] = ["f32", "f16"];

/** What a graph for the card may be written as. */
function computesIn(graph: Graph): readonly Precision[] {
  if (generationOfGraph(graph) === "index") return BOTH;
  return cachesOf(graph).some(({ value }) => value.type.dtype === "f16") ? ["f16"] : ["f32"];
}

function graphFor({ model, transformed, options = {}, kv = true }: ExportForAic100, precision: Precision): Graph {
  if (transformed) return transformed.nets[0]!.graph;
  if (!kv) return transformersInterface(precision === "f32" ? model! : inHalves(model!), { cache: false });
  return transform(model!, {
    ...options,
    ...(precision === "f32" ? { format: "fp32", emulate: true } : { format: "fp16" }),
  }).nets[0]!.graph;
}

function inHalves(model: Graph): Graph {
  const halves = [
    { pass: "scale-queries" },
    { pass: "precision", params: { dtype: "f16", keep: ["norm"], wideOutputs: false } },
    { pass: "clip-constants" },
  ];
  const passes = [...corePasses, ...(aic100Target.passes ?? [])];
  return runPipeline(programOf(model), halves, { passes, dialects: aic100Target.dialects }).nets[0]!.graph;
}

function wrong(message: string): TargetError {
  return new TargetError("option-invalid", message);
}

/** Of both formats that a cache may be kept in: which one is for the compile to say. */
async function writeCustomIo(folder: string, graph: Graph, subFunctions: boolean): Promise<void> {
  const caches = cachesOf(graph).map(({ value }) => value.id);
  for (const [file, eight] of [
    ["custom_io_fp16.yaml", false],
    ["custom_io_int8.yaml", true],
  ] as const)
    await writeFile(join(folder, file), customIoFile({ ...DEFAULT_SETTINGS, mxint8: eight, subFunctions }, caches));
}

/** One call's inputs as raw numbers, by their names. */
async function writeSamples(
  folder: string,
  graph: Graph,
  { tokenizer, inputStr = "My name is", seqLength = 128 }: ExportForAic100,
): Promise<void> {
  const ids = Array.from(tokenizer.encode(inputStr));
  if (ids.length === 0 || ids.length > seqLength)
    throw new TargetError(
      "option-invalid",
      `inputStr is ${ids.length} tokens; seqLength has room for 1 to ${seqLength}`,
    );
  const ctxLen = contextOfGraph(graph) ?? seqLength;
  await makeFolder(join(folder, "sample"));
  for (const [name, { data }] of Object.entries(sampleInputs(graph, ids, { length: seqLength, ctxLen })))
    await writeFile(
      join(folder, "sample", `${name}.raw`),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
}
