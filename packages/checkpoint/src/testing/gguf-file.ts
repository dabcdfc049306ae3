/** A metadata value of a test's GGUF file: its type follows from what it is. Lists of numbers are of 32-bit integers or floats, one by itself an integer unless said. */
export type GgufInput =
  | string
  | boolean
  | number
  | { readonly f32: number }
  | readonly string[]
  | Float32Array
  | Int32Array
  | Uint8Array;

export interface GgufTensorInput {
  readonly shape: readonly number[]; // outermost axis first
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** What a GGUF file says of the smallest model that opens, for tests of what else it says. */
export const TINY_LLAMA: Readonly<Record<string, GgufInput>> = {
  "general.architecture": "llama",
  "llama.block_count": 1,
  "llama.embedding_length": 8,
  "llama.context_length": 8,
  "llama.attention.head_count": 1,
  "llama.vocab_size": 8,
};

/** A GGUF file in memory. */
export function ggufFile(
  metadata: Readonly<Record<string, GgufInput>>,
  tensors: Readonly<Record<string, GgufTensorInput>> = {},
): Uint8Array {
  const entries = Object.entries(metadata).flatMap(([key, value]) => [text(key), ...typed(value)]);
  let offset = 0;
  const infos = Object.entries(tensors).flatMap(([name, { shape, type, bytes }]) => {
    const info = [text(name), u32(shape.length), ...shape.toReversed().map(u64), u32(type), u64(offset)];
    offset += aligned(bytes.length);
    return info;
  });
  const counts = [u64(Object.keys(tensors).length), u64(Object.keys(metadata).length)];
  const header = Buffer.concat([Buffer.from("GGUF"), u32(3), ...counts, ...entries, ...infos]);
  const data = Object.values(tensors).flatMap(({ bytes }) => [
    bytes,
    Buffer.alloc(aligned(bytes.length) - bytes.length),
  ]);
  return Buffer.concat([header, Buffer.alloc(data.length > 0 ? aligned(header.length) - header.length : 0), ...data]);
}

/** To where the next tensor may begin. */
function aligned(length: number): number {
  return Math.ceil(length / 32) * 32;
}

function typed(value: GgufInput): Buffer[] {
  if (typeof value === "string") return [u32(8), text(value)];
  if (typeof value === "boolean") return [u32(7), Buffer.from([Number(value)])];
  if (typeof value === "number") return [u32(4), u32(value)];
  if (value instanceof Float32Array) return list(6, value.length, Buffer.from(value.buffer));
  if (value instanceof Int32Array) return list(5, value.length, Buffer.from(value.buffer));
  if (value instanceof Uint8Array) return list(0, value.length, Buffer.from(value));
  if ("f32" in value) return [u32(6), Buffer.from(Float32Array.of(value.f32).buffer)];
  return list(8, value.length, Buffer.concat(value.map(text)));
}

function list(type: number, count: number, ...values: Buffer[]): Buffer[] {
  return [u32(9), u32(type), u64(count), ...values];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
