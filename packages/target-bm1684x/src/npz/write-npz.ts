import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { TargetError } from "@llm/target";

/** An array of an npz file. */
export interface NpzArray {
  readonly name: string;
  readonly dtype: "f32" | "u8";
  readonly shape: readonly number[];
  /** Its bytes in row-major order; read once, when it is written. */
  bytes(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const DESCRIPTORS = { f32: "<f4", u8: "|u1" } as const;
const WIDTH = { f32: 4, u8: 1 } as const;

/** The vendor's reader takes an entry's size from 32 bits of its local header. */
const MOST_BYTES = 0xffff_ffff;

/**
 * Writes an npz: a zip of .npy files, stored, one after another, so that memory doesn't grow with them. Each entry's size is
 * in its header, where readers that go from front to back look for it.
 */
export async function writeNpz(path: string, arrays: readonly NpzArray[], signal?: AbortSignal): Promise<number> {
  const file = await open(path, "w");
  try {
    const entries: Entry[] = [];
    let at = 0;
    for (const array of arrays) {
      const entry = await writeEntry(file, at, array, signal);
      entries.push(entry);
      at = entry.end;
    }
    const directory = Buffer.concat(entries.map(directoryRecord));
    const end = endRecords(entries.length, at, directory.length);
    await file.write(Buffer.concat([directory, end]), 0, undefined, at);
    return at + directory.length + end.length;
  } finally {
    await file.close();
  }
}

interface Entry {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

async function writeEntry(file: FileHandle, start: number, array: NpzArray, signal?: AbortSignal): Promise<Entry> {
  const name = Buffer.from(`${array.name}.npy`);
  const header = npyHeader(array);
  const length = array.shape.reduce((size, dim) => size * dim, WIDTH[array.dtype]);
  const size = header.length + length;
  if (size > MOST_BYTES)
    throw new TargetError(
      "unsupported",
      `${array.name} takes ${(size / 1e9).toFixed(1)} GB; the BM1684X compiler reads arrays of up to 4.3 GB`,
    );
  let crc = crc32(header);
  let at = start + localHeader(name, 0, size).length;
  await file.write(header, 0, header.length, at);
  at += header.length;
  for await (const chunk of array.bytes()) {
    signal?.throwIfAborted();
    await file.write(chunk, 0, chunk.length, at);
    crc = crc32(chunk, crc);
    at += chunk.length;
  }
  const local = localHeader(name, crc, size);
  if (at !== start + local.length + size)
    throw new TargetError(
      "unit-failed",
      `${array.name}: ${at - start - local.length - header.length} bytes, not ${length}`,
    );
  await file.write(local, 0, local.length, start);
  return { name, crc, size, start, end: at };
}

/** Version 1.0: a magic number, a length, and a Python dictionary padded so that data begins at a multiple of 64. */
function npyHeader({ dtype, shape }: NpzArray): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${DESCRIPTORS[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded & 255, padded >> 8]);
  return Buffer.concat([head, Buffer.from(`${text.padEnd(padded - 1)}\n`, "latin1")]);
}

function localHeader(name: Buffer, crc: number, size: number): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4); // version needed
  head.writeUInt32LE(crc, 14);
  head.writeUInt32LE(size, 18);
  head.writeUInt32LE(size, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, name]);
}

function directoryRecord({ name, crc, size, start }: Entry): Buffer {
  const far = start > MOST_BYTES;
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(far ? 45 : 20, 4);
  head.writeUInt16LE(far ? 45 : 20, 6);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(size, 20);
  head.writeUInt32LE(size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(far ? 12 : 0, 30);
  head.writeUInt32LE(far ? MOST_BYTES : start, 42);
  if (!far) return Buffer.concat([head, name]);
  const extra = Buffer.alloc(12); // zip64: where it begins
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(BigInt(start), 4);
  return Buffer.concat([head, name, extra]);
}

function endRecords(count: number, start: number, length: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, 0xffff), 8);
  end.writeUInt16LE(Math.min(count, 0xffff), 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(Math.min(start, MOST_BYTES), 16);
  if (start <= MOST_BYTES && count <= 0xffff) return end;
  const far = Buffer.alloc(56 + 20);
  far.writeUInt32LE(0x06064b50, 0);
  far.writeBigUInt64LE(44n, 4);
  far.writeUInt16LE(45, 12);
  far.writeUInt16LE(45, 14);
  far.writeBigUInt64LE(BigInt(count), 24);
  far.writeBigUInt64LE(BigInt(count), 32);
  far.writeBigUInt64LE(BigInt(length), 40);
  far.writeBigUInt64LE(BigInt(start), 48);
  far.writeUInt32LE(0x07064b50, 56); // and where to find that
  far.writeBigUInt64LE(BigInt(start + length), 64);
  far.writeUInt32LE(1, 72);
  return Buffer.concat([far, end]);
}
