import type { Binding } from "../network.ts";
import { type Shape, writeNetwork, writeQpc } from "./write-qpc.ts";

/** A language model's: prompts of eight tokens and single ones, for `batch` sequences of 32 tokens. */
export function tinyNetwork(batch = 2): Uint8Array {
  const kv = [batch, 1, 32, 4];
  const bind = (name: string, dtype: string, dims: readonly number[], isPartialAllowed = false): Binding => {
    return { name, dtype, dims, isPartialAllowed };
  };
  const shapes = (tokens: number): readonly Shape[] => [
    { type: 7, dims: [batch, tokens] },
    { type: 7, dims: [batch, tokens] },
    { type: 1, dims: kv },
    { type: 0, dims: [batch, 1, 300] },
    { type: 1, dims: kv },
  ];
  return writeNetwork({
    name: "tiny",
    version: "9.1",
    batchSize: batch,
    cores: 14,
    threads: 4,
    inputs: [
      bind("input_ids", "int64", [batch, 8]),
      bind("position_ids", "int64", [batch, 8]),
      bind("past_key.0", "float16", kv, true),
    ],
    outputs: [bind("logits", "float32", [batch, 1, 300]), bind("past_key.0_RetainedState", "float16", kv, true)],
    shapes: [shapes(8), shapes(1)],
  });
}

export function tinyQpc({
  batch = 2,
  base = 0n,
}: {
  readonly batch?: number;
  readonly base?: bigint;
} = {}): Uint8Array {
  return writeQpc({
    base,
    segments: {
      "network.elf": new Uint8Array(100).fill(0x7f),
      "networkdesc.bin": tinyNetwork(batch),
      "constants.bin": new Uint8Array(1000),
    },
  });
}
