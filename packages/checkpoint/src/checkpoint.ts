import type { Format, WeightSource } from "@llm/tensor";
import type { JsonObject } from "./json.ts";

/** `huggingface`: config and weights in a folder; `gguf`: one file with both; `transformersjs`: ONNX files in place of weights. */
export type CheckpointKind = "huggingface" | "gguf" | "transformersjs";

/** An open checkpoint: what it says about itself, and where its tensors are. Nothing of it has been executed. */
export interface Checkpoint {
  readonly kind: CheckpointKind;
  readonly path: string; // absolute: what was opened
  readonly folder: string; // absolute: the folder with its files
  /** config.json as published (for GGUF: as Hugging Face would have it), unknown fields kept, overrides set. */
  readonly config: JsonObject;
  /** What its file says of the model that `config` can't hold and nothing reads: keys of GGUF's metadata. */
  readonly unread: readonly string[];
  readonly generationConfig: JsonObject | undefined;
  /** Names of its small files (config, tokenizer, templates …), for `readFile`. For GGUF they are made from its metadata. */
  readonly files: readonly string[];
  /** The weights of a checkpoint that has none (a config alone, or ONNX files) have no names. */
  readonly weights: WeightSource;
  /** ONNX files, relative to the folder; only transformers.js folders have them. */
  readonly onnx: readonly string[];
  /** The bytes of one of `files`; undefined when it isn't one of them. */
  readFile(name: string): Promise<Uint8Array | undefined>;
  /** One of `files` as a JSON object; undefined when it isn't one of them. */
  readJson(name: string): Promise<JsonObject | undefined>;
  describe(): CheckpointDescription;
  close(): Promise<void>;
}

/** What `llm inspect` prints. */
export interface CheckpointDescription {
  readonly kind: CheckpointKind;
  readonly path: string;
  readonly modelType: string | undefined;
  readonly architectures: readonly string[];
  readonly quantisation: string | undefined; // quant_method of the config, or GGUF's own name
  readonly parameters: number;
  readonly bytes: number; // of all tensors
  readonly formats: Readonly<Record<string, number>>; // how many tensors have which
  readonly tensors: readonly TensorDescription[];
  readonly files: readonly string[];
  readonly onnx: readonly string[];
  readonly fingerprint: string;
}

export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: Format | (string & {}); // as the file calls it, for those that can't be read
  readonly bytes: number;
  readonly file: string; // relative to the folder where it lies inside
  readonly readable: boolean;
}
