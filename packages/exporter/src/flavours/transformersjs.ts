import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Graph } from "@llm/core-ir";
import type { WeightSource } from "@llm/tensor";
import { makeFolder } from "@llm/tensor/files";
import { storageOf } from "../convert/storage.ts";
import { toOnnx } from "../convert/to-onnx.ts";
import { writeDurably } from "../write/durable-file.ts";
import { type WrittenFile, type WrittenOnnx, writeOnnx } from "../write/write-onnx.ts";
import { halfPrecision } from "./half-precision.ts";
import { NBITS_DOMAINS, nBitsEmitters } from "./n-bits.ts";
import { transformersInterface } from "./transformers-interface.ts";

/** Precisions by the names that transformers.js has for them, each with its part of the file's name. */
const SUFFIX = { fp32: "", fp16: "_fp16", q8: "_quantized", q4: "_q4" } as const;

export type TransformersJsDtype = keyof typeof SUFFIX;

export interface TransformersJsOptions {
  readonly folder: string;
  readonly source: WeightSource;
  /** The checkpoint's config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Files that go along: tokenizer.json, tokenizer_config.json, generation_config.json, … */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The first is the one that is used unless somebody asks for another; fp32 alone unless said. */
  readonly dtypes?: readonly TransformersJsDtype[];
  readonly link?: "hard" | "copy";
  readonly metadata?: Readonly<Record<string, string>>;
  /** Version of the program that makes the models. */
  readonly producerVersion?: string;
  readonly signal?: AbortSignal;
  progress?(done: number, total: number): void;
}

/** Who loads the folder from elsewhere fetches each file whole: one of which this much isn't used is not worth linking. */
const LEAST_USED = 0.9;

/**
 * Types that transformers.js knows, beside those that only wrap one of them. Others are presented as `llama`: with a cache
 * of named inputs, all decoders are alike to it.
 */
const KNOWN_TYPES = new Set(
  `apertus arcee bloom codegen cohere cohere2 deepseek_v3 ernie4_5 exaone falcon gemma gemma2 gemma3_text glm gpt2
  gpt_bigcode gpt_neo gpt_neox gpt_oss gptj granite helium jais llama ministral mistral mpt nanochat olmo olmo2 olmo3 opt
  phi phi3 qwen2 qwen2_moe qwen3 qwen3_moe smollm3 stablelm starcoder2 vaultgemma`.split(/\s+/),
);

/**
 * Makes a folder that `pipeline("text-generation", folder)` of transformers.js loads. Weights are named as it expects
 * chunks of external data (`model.onnx_data`, `model.onnx_data_1`, …), so that browsers find them too.
 */
export async function exportTransformersJs(decoder: Graph, options: TransformersJsOptions): Promise<WrittenOnnx> {
  const { folder, config, dtypes = ["fp32"] } = options;
  const onnx = join(folder, "onnx");
  const all: WrittenOnnx[] = [];
  const chunks: Record<string, number> = {};
  for (const dtype of dtypes) {
    const name = `model${SUFFIX[dtype]}`;
    const written = await writeModel(decoder, dtype, name, { ...options, folder: onnx });
    const weightFiles = written.files.filter(({ path }) => path.startsWith(`${name}.onnx_data`));
    await dropOldChunks(onnx, name, weightFiles);
    chunks[`${name}.onnx`] = weightFiles.length;
    all.push(written);
  }
  const js = { dtype: dtypes[0], use_external_data_format: chunks };
  const side = {
    ...options.files,
    "config.json": jsonBytes({ ...presentedAs(config, decoder), "transformers.js_config": js }),
  };
  const files: WrittenFile[] = [];
  for (const [path, bytes] of Object.entries(side)) {
    await makeFolder(dirname(join(folder, path)));
    await writeDurably(join(folder, path), bytes);
    files.push({ path, bytes: bytes.length });
  }
  const sum = (of: (one: WrittenOnnx) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    files: [...all.flatMap((one) => one.files.map((file) => ({ ...file, path: `onnx/${file.path}` }))), ...files],
    bytesWritten: sum(({ bytesWritten }) => bytesWritten) + files.reduce((total, { bytes }) => total + bytes, 0),
    bytesReferenced: sum(({ bytesReferenced }) => bytesReferenced),
    notes: all.flatMap(({ notes }) => notes),
  };
}

async function writeModel(
  decoder: Graph,
  dtype: TransformersJsDtype,
  name: string,
  options: TransformersJsOptions,
): Promise<WrittenOnnx> {
  const { config, source, metadata, producerVersion } = options;
  const graph = transformersInterface(dtype === "fp16" ? halfPrecision(decoder) : decoder, {
    cache: true,
    joinKeyValue: config.multi_query === true, // transformers.js then asks for one input a block
  });
  const bits = dtype === "q4" ? 4 : dtype === "q8" ? 8 : undefined;
  const model = toOnnx(graph, {
    storage: storageOf(graph, source),
    ...(bits && { emitters: nBitsEmitters(graph, bits), domains: NBITS_DOMAINS }),
    ...(metadata && { metadata }),
    ...(producerVersion === undefined ? {} : { producerVersion }),
  });
  return writeOnnx(model, {
    ...options,
    name,
    leastUsed: LEAST_USED,
    weightFile: (index) => `${name}.onnx_data${index === 0 ? "" : `_${index}`}`,
  });
}

/** Chunks that an earlier export of the same name left would be fetched for nothing. */
async function dropOldChunks(folder: string, name: string, used: readonly WrittenFile[]): Promise<void> {
  const keep = new Set(used.map(({ path }) => path));
  for (const path of await readdir(folder))
    if (path.startsWith(`${name}.onnx_data`) && !keep.has(path)) await rm(join(folder, path));
}

function presentedAs(config: Readonly<Record<string, unknown>>, decoder: Graph): Readonly<Record<string, unknown>> {
  if (KNOWN_TYPES.has(String(config.model_type))) return config;
  const layers = decoder.ops.filter(({ kind }) => kind === "attention" || kind === "latent_attention").length;
  return { ...config, model_type: "llama", original_model_type: config.model_type ?? null, num_hidden_layers: layers };
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
