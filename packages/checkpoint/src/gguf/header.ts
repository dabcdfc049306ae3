import { createHash } from "node:crypto";
import { CheckpointError, printable } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { MAX_GGUF_ALIGNMENT, MAX_GGUF_HEADER, MAX_GGUF_KEYS, MAX_GGUF_RANK, MAX_TENSORS } from "../limits.ts";
import { Cursor, Malformed, NeedsMore } from "./cursor.ts";
import { GGML_TYPES, type GgufArray, type GgufHeader, type GgufTensor, type GgufValue, isArray } from "./types.ts";

const MAGIC = 0x46554747; // "GGUF"
const DEFAULT_ALIGNMENT = 32;

/** Enough for files without a large vocabulary; if the header is longer, it is begun again with more of the file. */
const FIRST_READ = 1024 * 1024;
const GROWTH = 4;

/** Reads a GGUF file's header: metadata and where each tensor is. */
export async function readGgufHeader(file: BinaryFile): Promise<GgufHeader> {
  for (let length = FIRST_READ; ; length *= GROWTH) {
    const bytes = await file.read(0, Math.min(length, file.size));
    try {
      return parseHeader(file, bytes);
    } catch (error) {
      if (error instanceof Malformed)
        throw new CheckpointError("file-invalid", `its header is damaged: ${error.message}`, { file: file.path });
      if (!(error instanceof NeedsMore)) throw error;
      if (length >= file.size)
        throw new CheckpointError("file-truncated", "ends in the middle of its header", { file: file.path });
      if (length >= MAX_GGUF_HEADER)
        throw new CheckpointError("limit-exceeded", `its header has more than ${MAX_GGUF_HEADER} bytes`, {
          file: file.path,
        });
    }
  }
}

/** The values of an array that the header left in the file. */
export async function readGgufArray(file: BinaryFile, array: GgufArray): Promise<GgufValue[]> {
  const bytes = await file.read(array.offset, array.length);
  return new Cursor(bytes, array.offset).values(array);
}

/** Where in an array these texts stand, without making strings of the rest: a vocabulary has a quarter of a million. */
export async function findInGgufArray(file: BinaryFile, array: GgufArray, texts: readonly string[]): Promise<number[]> {
  const bytes = await file.read(array.offset, array.length);
  return new Cursor(bytes, array.offset).find(array, texts);
}

function parseHeader(file: BinaryFile, bytes: Uint8Array): GgufHeader {
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== MAGIC) throw new CheckpointError("file-invalid", "is not a GGUF file", { file: file.path });
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    throw new CheckpointError(
      "file-invalid",
      (version & 0xffff) === 0
        ? "is a big-endian GGUF file; only little-endian ones can be read"
        : `is GGUF version ${version}; versions 2 and 3 can be read`,
      { file: file.path },
    );
  const tensorCount = cursor.size();
  const keyCount = cursor.size();
  if (tensorCount > MAX_TENSORS || keyCount > MAX_GGUF_KEYS)
    throw new CheckpointError(
      "limit-exceeded",
      `has ${tensorCount} tensors and ${keyCount} metadata keys; ${MAX_TENSORS} and ${MAX_GGUF_KEYS} are the most that make sense`,
      { file: file.path },
    );
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string();
    if (metadata.has(key)) throw new Malformed(`the key ${printable(key)} is there twice`);
    metadata.set(key, cursor.value(cursor.u32()));
  }
  const infosStart = cursor.at;
  const infos = Array.from({ length: tensorCount }, () => tensorInfo(cursor));
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || !(alignment > 0 && alignment <= MAX_GGUF_ALIGNMENT) || alignment % 8 !== 0)
    throw new Malformed(`an alignment of ${String(alignment)} is not possible`);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = infos.map((info) => place(file, info, dataStart, alignment));
  checkDisjoint(file, tensors);
  return { version, metadata, tensors, hash: weightHash(metadata, bytes.subarray(infosStart, cursor.at)) };
}

/** All that shapes the weights: where they are, and the numbers that undo their conversion; not the vocabulary. */
function weightHash(metadata: ReadonlyMap<string, GgufValue>, infos: Uint8Array): string {
  const hash = createHash("sha256");
  for (const [key, value] of metadata) if (!isArray(value)) hash.update(`${key}=${value}\n`);
  return hash.update(infos).digest("hex");
}

interface Info {
  readonly name: string;
  readonly dims: readonly number[]; // innermost first
  readonly type: number;
  readonly offset: number;
}

function tensorInfo(cursor: Cursor): Info {
  const name = cursor.string();
  const rank = cursor.u32();
  if (rank > MAX_GGUF_RANK)
    throw new Malformed(`tensor ${printable(name)} has ${rank} axes, more than ${MAX_GGUF_RANK}`);
  const dims = Array.from({ length: rank }, () => cursor.size());
  return { name, dims, type: cursor.u32(), offset: cursor.size() };
}

function place(file: BinaryFile, { name, dims, type, offset }: Info, dataStart: number, alignment: number): GgufTensor {
  const bad = (reason: string) => new CheckpointError("tensor-invalid", reason, { file: file.path, tensor: name });
  const ggml = GGML_TYPES.get(type);
  if (!ggml) throw bad(`its type, number ${type}, is not known here`);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if ((dims[0] ?? 1) % ggml.block !== 0)
    throw bad(`its rows of ${dims[0] ?? 1} values are not whole blocks of ${ggml.block}, as ${ggml.name} needs`);
  const length = (elements / ggml.block) * ggml.bytes;
  if (!Number.isSafeInteger(length)) throw bad(`shape [${dims.toReversed().join(", ")}] makes no sense`);
  if (offset % alignment !== 0) throw bad(`its offset ${offset} is no multiple of ${alignment}`);
  if (!(dataStart + offset + length <= file.size))
    throw new CheckpointError(
      "file-truncated",
      `it ends ${dataStart + offset + length - file.size} bytes past the end of the file; the file is cut off`,
      { file: file.path, tensor: name },
    );
  return { name, shape: dims.toReversed(), type, offset: dataStart + offset, length };
}

function checkDisjoint(file: BinaryFile, tensors: readonly GgufTensor[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name))
      throw new CheckpointError("tensor-duplicate", "is in the header twice", { file: file.path, tensor: name });
    names.add(name);
  }
  const sorted = tensors.toSorted((a, b) => a.offset - b.offset || a.length - b.length);
  for (let i = 1; i < sorted.length; i++) {
    const [before, tensor] = [sorted[i - 1]!, sorted[i]!];
    if (tensor.offset < before.offset + before.length)
      throw new CheckpointError("tensor-invalid", `it overlaps tensor ${printable(before.name)}`, {
        file: file.path,
        tensor: tensor.name,
      });
  }
}
