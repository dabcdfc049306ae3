import { codecOf, f16ToNumber, shapeOf, stream, type WeightSource } from "@llm/tensor";
import type { EncodedExpr } from "../top/top-writer.ts";

/** Lanes of the chip: output n is lane n mod 64's. */
const LANES = 64;

/** Values that are worked on at a time. */
const AT_ONCE = 2 ** 21;

/**
 * A linear in the chip's own format, made once, some rows at a time: its codes as they come, and what comes with them, scales
 * and zero points, kept until they are asked for.
 */
export class EncodedLinear {
  readonly #expr: EncodedExpr;
  readonly #source: WeightSource;
  readonly #scales: Float32Array[] = [];
  readonly #zeros: Uint8Array[] = [];

  constructor(expr: EncodedExpr, source: WeightSource) {
    this.#expr = expr;
    this.#source = source;
  }

  async *codes(): AsyncGenerator<Uint8Array> {
    const { of, format } = this.#expr;
    const codec = codecOf(format);
    const [, columns] = shapeOf(of) as [number, number];
    for await (const values of rowChunks(stream(of, this.#source, "f32", { reuse: true }), columns)) {
      const rows = values.length / columns;
      const { data, scales, zeros } = codec.encode(values, rows, columns);
      const groups = scales!.length / rows;
      this.#scales.push(
        byOutput(rows, groups, (at) => f16ToNumber(Number(scales![at])), new Float32Array(rows * groups)),
      );
      this.#zeros.push(byOutput(rows, groups, (at) => Number(zeros![at]), new Uint8Array(rows * groups)));
      yield new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength);
    }
  }

  scales(): Iterable<Uint8Array> {
    return this.#scales.map((values) => new Uint8Array(values.buffer));
  }

  zeros(): Iterable<Uint8Array> {
    return this.#zeros;
  }
}

/** What is kept by lane, and by row of the lane, in the order of outputs: as the compiler takes it. */
function byOutput<T extends Float32Array | Uint8Array>(
  rows: number,
  groups: number,
  value: (at: number) => number,
  out: T,
): T {
  for (let row = 0; row < rows; row++) {
    const from = ((row % LANES) * (rows / LANES) + Math.floor(row / LANES)) * groups;
    for (let group = 0; group < groups; group++) out[row * groups + group] = value(from + group);
  }
  return out;
}

/** float32 values in chunks of whole rows, as many as lanes or a multiple. */
async function* rowChunks(bytes: AsyncIterable<Uint8Array>, columns: number): AsyncGenerator<Float32Array> {
  const rows = Math.max(1, Math.floor(AT_ONCE / columns / LANES)) * LANES;
  const size = rows * columns * Float32Array.BYTES_PER_ELEMENT;
  let chunk = new Uint8Array(size);
  let filled = 0;
  for await (const part of bytes) {
    for (let from = 0; from < part.length; ) {
      const count = Math.min(size - filled, part.length - from);
      chunk.set(part.subarray(from, from + count), filled);
      filled += count;
      from += count;
      if (filled < size) continue;
      yield new Float32Array(chunk.buffer);
      chunk = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield new Float32Array(chunk.buffer, 0, filled / Float32Array.BYTES_PER_ELEMENT);
}
