import { execFile } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openCheckpoint } from "@llm/checkpoint";
import { nativeCodecs } from "@llm/runtime-native/codecs";
import { stream, useFastCodecs } from "@llm/tensor";
import type { Case } from "../case.ts";

const run = promisify(execFile);
const SHAPE = [4096, 14_336] as const; // a feed-forward weight of an 8B model
const VALUES = SHAPE[0] * SHAPE[1];
const BLOCK_BYTES = 144; // of 256 values

const PYTHON = `
import json, sys, time
import gguf
from gguf.quants import dequantize
tensor = gguf.GGUFReader(sys.argv[1]).tensors[0]
dequantize(tensor.data[:16], tensor.tensor_type)
start = time.perf_counter()
values = dequantize(tensor.data, tensor.tensor_type)
print(json.dumps({"rate": values.size / 1e6 / (time.perf_counter() - start)}))
`;

/** A GGUF file with one Q4_K tensor, of blocks that are random but for their scales, which must be finite. */
function model(): Buffer {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(value.length), Buffer.from(value)]);
  const number = (key: string, value: number) => Buffer.concat([text(key), u32(4), u32(value)]);
  const keys = [
    Buffer.concat([text("general.architecture"), u32(8), text("llama")]),
    ...["block_count", "context_length", "attention.head_count"].map((key) => number(`llama.${key}`, 1)),
    number("llama.embedding_length", SHAPE[0]),
  ];
  const info = Buffer.concat([text("blk.0.ffn_down.weight"), u32(2), u64(SHAPE[1]), u64(SHAPE[0]), u32(12), u64(0)]);
  const head = Buffer.concat([
    Buffer.from("GGUF"),
    u32(3),
    u64(1),
    u64(keys.length + 1),
    ...keys,
    number("llama.vocab_size", 1),
    info,
  ]);
  const data = randomFillSync(Buffer.alloc((VALUES / 256) * BLOCK_BYTES));
  for (let at = 0; at < data.length; at += BLOCK_BYTES) data.writeUInt32LE(0x1c003c00, at); // 1 and 0.0039
  return Buffer.concat([head, Buffer.alloc(-head.length & 31), data]);
}

/** Decoding Q4_K from the file to float32, against the gguf package's vectorised decoder. */
export const checkpointGguf: Case = {
  name: "checkpoint-gguf",
  title: "Decoding GGUF Q4_K to float32 (59 million values)",
  metrics: [{ key: "rate", unit: "million values/s", better: "higher", bar: 1 }],
  rounds: 5,
  baseline: "gguf (Python)",
  sides: async () => {
    const folder = await mkdtemp(join(tmpdir(), "bench-gguf-"));
    const file = join(folder, "model.gguf");
    await writeFile(file, model());
    const checkpoint = await openCheckpoint(file);
    const python = process.env.LLM_PYTHON ?? "python3";
    const name = "model.layers.0.mlp.down_proj.weight";
    const decoded = async (find: typeof nativeCodecs | undefined) => {
      useFastCodecs(find);
      const start = performance.now();
      let bytes = 0;
      for await (const chunk of stream({ op: "tensor", name, shape: SHAPE }, checkpoint.weights, "f32", {
        reuse: true,
      }))
        bytes += chunk.length;
      if (bytes !== VALUES * 4) throw new Error(`${bytes} bytes`);
      return { rate: VALUES / 1e3 / (performance.now() - start) };
    };
    return [
      {
        name: "stream",
        detail: "@llm/tensor's stream with the addon's loops, reading included",
        run: () => decoded(nativeCodecs),
      },
      {
        name: "TypeScript",
        detail: "the same without the addon",
        run: () => decoded(undefined),
        close: async () => {
          await checkpoint.close();
          await rm(folder, { recursive: true });
        },
      },
      {
        name: "gguf (Python)",
        detail: `gguf.quants.dequantize of ${python}, mapped file (pip install gguf; LLM_PYTHON names another interpreter)`,
        run: async () => JSON.parse((await run(python, ["-c", PYTHON, file])).stdout),
      },
    ];
  },
};
