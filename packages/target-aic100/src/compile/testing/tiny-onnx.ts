import { join } from "node:path";
import { type OnnxValue, writeOnnx } from "@llm/exporter";
import { type WeightSource, weights } from "@llm/tensor";

export const NO_WEIGHTS: WeightSource = {
  fingerprint: "none",
  names: () => [],
  get: () => undefined,
  read: () => Promise.reject(new Error("there is nothing to read")),
};

/** Enough of a model for a compiler's files: caches of one block that are kept, and a weight in a file of its own. */
export async function writeTinyOnnx(folder: string, name = "tiny", scale = 1): Promise<string> {
  const cache = (key: string): OnnxValue => ({ name: key, dtype: "f32", shape: ["batch_size", 1, "ctx_len", 4] });
  const kept = ["past_key.0", "past_value.0"];
  const values = Array.from({ length: 4096 }, (_, i) => i * scale);
  await writeOnnx(
    {
      name,
      opsets: { "": 17 },
      inputs: [{ name: "input_ids", dtype: "i64", shape: ["batch_size", "seq_len"] }, ...kept.map(cache)],
      outputs: [{ name: "logits", dtype: "f32", shape: [4096] }, ...kept.map((key) => cache(`${key}_RetainedState`))],
      initializers: [{ name: "table", dtype: "f32", shape: [4096], weight: weights.constant("f32", [4096], values) }],
      nodes: [
        { op: "Identity", inputs: ["table"], outputs: ["logits"] },
        ...kept.map((key) => ({ op: "Identity", inputs: [key], outputs: [`${key}_RetainedState`] })),
      ],
    },
    { folder, name, source: NO_WEIGHTS },
  );
  return join(folder, `${name}.onnx`);
}
