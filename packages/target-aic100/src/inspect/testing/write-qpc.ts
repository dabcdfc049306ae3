import type { Binding, Network } from "../network.ts";
import { QPC_MAGIC } from "../read-qpc.ts";

export interface QpcParts {
  readonly segments: Readonly<Record<string, Uint8Array>>;
  /** An address that everything counts from, as in files that were written from memory; those align to eight bytes too. */
  readonly base?: bigint;
}

/** Writes the container as the vendor's two writers do. */
export function writeQpc({ segments, base = 0n }: QpcParts): Uint8Array {
  const align = (at: number) => (base === 0n ? at : Math.ceil(at / 8) * 8);
  const entries = Object.entries(segments);
  const table = 40;
  let at = table + 32 * entries.length;
  const names = entries.map(([name]) => {
    const start = at;
    at += Buffer.byteLength(name) + 1;
    return start;
  });
  const starts = entries.map(([, bytes]) => {
    const start = align(at);
    at = start + bytes.length;
    return start;
  });
  const out = Buffer.alloc(at);
  out.writeUInt32LE(QPC_MAGIC, 0);
  out.writeUInt8(1, 5);
  out.writeBigUInt64LE(BigInt(at), 8);
  out.writeBigUInt64LE(base, 16);
  out.writeBigUInt64LE(BigInt(entries.length), 24);
  out.writeBigUInt64LE(base + BigInt(table), 32);
  entries.forEach(([name, bytes], i) => {
    const entry = table + 32 * i;
    out.writeBigUInt64LE(BigInt(bytes.length), entry);
    out.writeBigUInt64LE(base + BigInt(names[i]!), entry + 16);
    out.writeBigUInt64LE(base + BigInt(starts[i]!), entry + 24);
    out.write(name, names[i]!);
    out.set(bytes, starts[i]!);
  });
  return out;
}

/** Writes a network's description. Types are given by the runtime's numbers. */
export function writeNetwork(
  network: Omit<Network, "shapes"> & { readonly shapes: readonly (readonly Shape[])[] },
): Uint8Array {
  const [major, minor] = network.version.split(".").map(Number);
  return message([
    [1, major!],
    [2, minor!],
    [3, network.name],
    ...network.inputs.map((one): Entry => [4, binding(one)]),
    ...network.outputs.map((one): Entry => [5, binding(one)]),
    [7, network.cores],
    [8, network.threads],
    ...(network.batchSize === undefined ? [] : [[14, network.batchSize] as Entry]),
    ...network.shapes.map((list): Entry => [18, message(list.map(shape))]),
  ]);
}

export interface Shape {
  readonly type: number;
  readonly dims: readonly number[];
}

const TYPES: Readonly<Record<string, number>> = { float32: 0, float16: 1, int64: 7, int8: 8 };

function binding({ name, dtype, dims, isPartialAllowed }: Binding): Uint8Array {
  const descriptor = message([
    [1, TYPES[dtype]!],
    [4, packed(dims)],
  ]);
  return message([
    [1, name],
    [2, descriptor],
    [5, isPartialAllowed ? 1 : 0],
  ]);
}

function shape({ type, dims }: Shape): Entry {
  return [
    1,
    message([
      [1, type],
      [2, packed(dims)],
    ]),
  ];
}

type Entry = readonly [field: number, value: number | string | Uint8Array];

function message(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat(
    entries.map(([field, value]) => {
      if (typeof value === "number") return Buffer.from([...varint(field << 3), ...varint(value)]);
      const bytes = typeof value === "string" ? Buffer.from(value) : value;
      return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
    }),
  );
}

function packed(numbers: readonly number[]): Uint8Array {
  return Buffer.from(numbers.flatMap(varint));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}
