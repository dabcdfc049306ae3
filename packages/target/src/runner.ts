import type { Tensor } from "@llm/tensor";

/** Runs one net of a program at a time on given tensors: what `verify` compares, two by two. */
export interface Runner {
  readonly name: string; // "reference", "onnxruntime", "simulator", …
  readonly nets: readonly string[];
  run(net: string, inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}
