import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Files that transformers.js knows, the likeliest wanted first, by the format they keep weights in. */
const FILES: readonly (readonly [name: string, format: string])[] = [
  ["model.onnx", "fp32"],
  ["decoder_model_merged.onnx", "fp32"],
  ["model_q4.onnx", "int4"],
  ["model_quantized.onnx", "int8"],
  ["model_int8.onnx", "int8"],
  ["model_fp16.onnx", "fp16"],
  ["model_q4f16.onnx", "int4"],
];

/** A checkpoint's own weights: where there are some, they are what is meant. */
const WEIGHTS = /\.(?:safetensors|bin|gguf)$|\.index\.json$/;

/** The ONNX file of a folder that holds a model in no other form, as folders made for transformers.js do. */
export async function publishedFile(folder: string): Promise<string | undefined> {
  const names = await list(folder);
  if (!names.includes("config.json") || names.some((name) => WEIGHTS.test(name))) return undefined;
  const files = await list(join(folder, "onnx"));
  const found = FILES.find(([name]) => files.includes(name));
  return found && join(folder, "onnx", found[0]);
}

/** Beside a file, the one that keeps its weights as asked, if it was published. */
export async function inFormat(file: string, format: string): Promise<string | undefined> {
  const folder = join(file, "..");
  const files = await list(folder);
  const found = FILES.find(([name, of]) => of === format && files.includes(name));
  return found && join(folder, found[0]);
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
