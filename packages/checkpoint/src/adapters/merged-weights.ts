import { createHash } from "node:crypto";
import { read, type Span, type StoredTensor, type WeightSource, weights } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import type { Adapter, LowRank } from "./open-adapter.ts";

/** What is added to a stored matrix: left · right, the scale already in the left. */
interface Addition {
  readonly left: Float32Array; // (rows, rank)
  readonly right: Float32Array; // (rank, columns)
  readonly rank: number;
}

/** A tensor whose values are made when they are read. */
interface Merged {
  readonly base: StoredTensor;
  readonly stored: StoredTensor;
  readonly addition: Addition;
}

/**
 * Weights with an adapter added in: its matrices are sums that are made, in 32 bits, as they are read, so that nothing is
 * written and memory doesn't grow; everything else stays where it is.
 */
export function mergedWeights(source: WeightSource, adapter: Adapter): WeightSource {
  const merged = new Map<string, Merged>();
  const files = new Map<string, Merged>();
  for (const module of adapter.modules) {
    const base = baseOf(source, module, adapter);
    const file = `${adapter.path}#${base.name}`;
    const length = 4 * base.shape[0]! * base.shape[1]!;
    const parts = { data: { file, offset: 0, length } };
    const stored: StoredTensor = { name: base.name, shape: base.shape, format: "f32", parts, computed: true };
    const one = { base, stored, addition: additionOf(module, adapter.transposed) };
    merged.set(base.name, one);
    files.set(file, one);
  }
  return {
    fingerprint: createHash("sha256").update(`${source.fingerprint} ${adapter.fingerprint}`).digest("hex"),
    names: () => source.names(),
    get: (name) => merged.get(name)?.stored ?? source.get(name),
    read: async (span, into) => {
      const one = files.get(span.file);
      if (one) await readSum(one, source, span, into);
      else await source.read(span, into);
    },
  };
}

/** The tensor that a module's sum goes to. Checkpoints may leave out a common beginning of names, or have one more. */
function baseOf(source: WeightSource, { module, a, b }: LowRank, { path, transposed }: Adapter): StoredTensor {
  const wanted = `${module}.weight`;
  const found =
    source.get(wanted) ??
    [...source.names()]
      .filter((name) => wanted.endsWith(`.${name}`) || name.endsWith(`.${wanted}`))
      .map((name) => source.get(name))[0];
  if (!found)
    throw new CheckpointError("tensor-invalid", "is not in this checkpoint: the adapter is for another model", {
      file: path,
      tensor: wanted,
    });
  const [out, into] = [b.shape[0]!, a.shape[1]!];
  const shape = transposed ? [into, out] : [out, into];
  if (found.shape.join() !== shape.join())
    throw new CheckpointError(
      "tensor-invalid",
      `is (${found.shape.join(", ")}) in this checkpoint, but the adapter adds (${shape.join(", ")})`,
      { file: path, tensor: wanted },
    );
  return found;
}

function additionOf({ a, b, scale }: LowRank, transposed: boolean): Addition {
  const rank = a.shape[0]!;
  const [left, right] = transposed
    ? [flipped(a.data as Float32Array, rank), flipped(b.data as Float32Array, b.shape[0]!)]
    : [b.data as Float32Array, a.data as Float32Array];
  return { left: left.map((x) => x * scale), right, rank };
}

/** A matrix of so many rows, transposed. */
function flipped(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Fills `into` with a part of a sum: the rows it touches are made whole. */
async function readSum({ base, addition }: Merged, source: WeightSource, span: Span, into: Uint8Array): Promise<void> {
  const columns = base.shape[1]!;
  const rowBytes = 4 * columns;
  const from = Math.floor(span.offset / rowBytes);
  const to = Math.ceil((span.offset + span.length) / rowBytes);
  const whole = weights.tensor(base.name, base.shape);
  const { data } = await read(weights.slice(whole, 0, from, to), source, "f32");
  const sums = Float32Array.from(data as Float32Array);
  addRows(sums, addition, from, columns);
  const start = span.offset - from * rowBytes;
  into.set(new Uint8Array(sums.buffer, start, span.length));
}

function addRows(sums: Float32Array, { left, right, rank }: Addition, from: number, columns: number): void {
  const row = new Float64Array(columns);
  for (let i = 0; i < sums.length / columns; i++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = left[(from + i) * rank + r]!;
      for (let j = 0; j < columns; j++) row[j]! += factor * right[r * columns + j]!;
    }
    for (let j = 0; j < columns; j++) sums[i * columns + j]! += row[j]!;
  }
}
