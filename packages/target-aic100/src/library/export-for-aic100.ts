import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Graph, Program } from "@llm/core-ir";
import { toOnnx, transformersInterface, writeOnnx } from "@llm/exporter";
import { TargetError } from "@llm/target";
import { parseMesh } from "@llm/target/mesh";
import type { WeightSource } from "@llm/tensor";
import { makeFolder } from "@llm/tensor/files";
import { cardModel } from "../build/build-model.ts";
import { customIoFile } from "../compile/custom-io.ts";
import { DEFAULT_SETTINGS } from "../compile/settings.ts";
import { cachesOf } from "../graph/form.ts";
import { settle } from "../graph/settle.ts";
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
  readonly saveFp32Onnx?: boolean;
  readonly saveFp16Onnx?: boolean;
  /** Of the transform. */
  readonly options?: Partial<Aic100Options>;
}

/**
 * Writes a model for the vendor's compiler: ONNX in float32, in fp16 or both, the file that says how caches are kept, and
 * sample inputs. Gives the folder, or with `returnPath` the folder and the model's file.
 */
export async function exportForAic100(
  request: ExportForAic100,
): Promise<string | readonly [folder: string, file: string]> {
  const { source, folder, name, kv = true } = request;
  const { returnPath = false, saveFp32Onnx = false, saveFp16Onnx = true } = request;
  check(request, { kv, saveFp32Onnx, saveFp16Onnx });
  const { opset } = settle({ ...defaultOptions(), ...request.options });
  await makeFolder(folder);
  let file = "";
  let sampled: Graph | undefined;
  for (const dtype of [...(saveFp32Onnx ? ["f32" as const] : []), ...(saveFp16Onnx ? ["f16" as const] : [])]) {
    const graph = graphFor(request, dtype, kv);
    sampled = graph;
    const spec = { opset, subFunctions: request.options?.subFunctions ?? false };
    const onnx = kv ? cardModel(graph, spec) : toOnnx(graph, { opset: spec.opset });
    const base = `${name.replaceAll("/", "_")}${kv ? "_kv" : ""}${dtype === "f16" ? "_fp16" : ""}`;
    await writeOnnx(onnx, { folder, name: base, source });
    file = join(folder, `${base}.onnx`);
    if (kv) await writeCustomIo(folder, graph, request.options);
  }
  await writeSamples(folder, sampled!, request);
  return returnPath ? [folder, file] : folder;
}

function check(
  { model, transformed, options = {} }: ExportForAic100,
  flags: Record<"kv" | "saveFp32Onnx" | "saveFp16Onnx", boolean>,
): void {
  const wrong = (message: string) => new TargetError("option-invalid", message);
  if ((model === undefined) === (transformed === undefined))
    throw wrong("exportForAic100 takes a model or a transformed one, and not both");
  if (!flags.saveFp32Onnx && !flags.saveFp16Onnx)
    throw wrong("saveFp32Onnx and saveFp16Onnx are both false: there would be nothing to write");
  if (transformed && flags.saveFp32Onnx && flags.saveFp16Onnx)
    throw wrong("a transformed model computes in one precision: give the model itself to have both files");
  if ((transformed?.nets.length ?? 1) > 1 || (options.mesh !== undefined && parseMesh(options.mesh).mp > 1))
    throw wrong("exportForAic100 writes one model: leave mesh out; llm export writes shards");
  if (transformed && !flags.kv) throw wrong("a transformed model has its cache: give the model itself for kv: false");
}

function graphFor({ model, transformed, options = {} }: ExportForAic100, dtype: "f32" | "f16", kv: boolean): Graph {
  if (transformed) return transformed.nets[0]!.graph;
  if (!kv) return transformersInterface(model!, { cache: false });
  return transform(model!, {
    ...options,
    ...(dtype === "f32" ? { format: "fp32", emulate: true } : { format: "fp16" }),
  }).nets[0]!.graph;
}

/** Of both formats that a cache may be kept in: which one is for the compile to say. */
async function writeCustomIo(folder: string, graph: Graph, { subFunctions = false }: Partial<Aic100Options> = {}) {
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
  { tokenizer, inputStr = "My name is", seqLength = 128, options = {} }: ExportForAic100,
): Promise<void> {
  const ids = Array.from(tokenizer.encode(inputStr));
  if (ids.length === 0 || ids.length > seqLength)
    throw new TargetError(
      "option-invalid",
      `inputStr is ${ids.length} tokens; seqLength has room for 1 to ${seqLength}`,
    );
  const { ctxLen } = { ...defaultOptions(), ...options };
  await makeFolder(join(folder, "sample"));
  for (const [name, { data }] of Object.entries(sampleInputs(graph, ids, { length: seqLength, ctxLen })))
    await writeFile(
      join(folder, "sample", `${name}.raw`),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
}
