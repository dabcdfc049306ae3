import { stream, type WeightSource } from "@llm/tensor";
import type { EncodedExpr, TopArray } from "../top/top-writer.ts";
import { EncodedLinear } from "./encoded-linear.ts";
import type { NpzArray } from "./write-npz.ts";

/** A module's arrays as bytes, which come out of the checkpoint when they are written, in order. */
export function npzArrays(arrays: readonly TopArray[], source: WeightSource): readonly NpzArray[] {
  const encoded = new Map<EncodedExpr, EncodedLinear>();
  const linearOf = (expr: EncodedExpr): EncodedLinear => {
    const linear = encoded.get(expr) ?? new EncodedLinear(expr, source);
    encoded.set(expr, linear);
    return linear;
  };
  return arrays.map(({ name, dtype, shape, from }) => ({
    name,
    dtype,
    shape,
    bytes() {
      if (from.kind === "numbers") return [bytesOf(from.values)];
      if (from.kind === "encoded") return linearOf(from.expr)[PARTS[from.part]]();
      const plain = stream(from.expr, source, "f32", { reuse: true }); // each chunk is written before the next
      return from.plus === undefined ? plain : shifted(plain, from.plus);
    },
  }));
}

const PARTS = { data: "codes", scales: "scales", zeros: "zeros" } as const;

async function* shifted(chunks: AsyncIterable<Uint8Array>, plus: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const values = new Float32Array(chunk.slice().buffer);
    yield bytesOf(values.map((value) => value + plus));
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
