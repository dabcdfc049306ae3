import { createHash } from "node:crypto";
import type { Format, StoredTensor } from "@llm/tensor";
import { CheckpointError, printable } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { duplicateKey, isObject, type Json, type JsonObject } from "../json.ts";
import { MAX_RANK, MAX_SAFETENSORS_HEADER, MAX_TENSORS } from "../limits.ts";
import type { UnreadableTensor, WeightFile } from "../stored-weights.ts";

interface Readable {
  readonly format: Format;
  readonly bits: number;
}

const READABLE: Readonly<Record<string, Readable>> = {
  F64: { format: "f64", bits: 64 },
  F32: { format: "f32", bits: 32 },
  F16: { format: "f16", bits: 16 },
  BF16: { format: "bf16", bits: 16 },
  I64: { format: "i64", bits: 64 },
  I32: { format: "i32", bits: 32 },
  I16: { format: "i16", bits: 16 },
  I8: { format: "i8", bits: 8 },
  U32: { format: "u32", bits: 32 },
  U16: { format: "u16", bits: 16 },
  U8: { format: "u8", bits: 8 },
  BOOL: { format: "bool", bits: 8 },
  F8_E4M3: { format: "f8_e4m3", bits: 8 },
};

/** Bits an element, for dtypes that the format has and we don't: their extent is checked, their values can't be read. */
const KNOWN_BITS: Readonly<Record<string, number>> = {
  U64: 64,
  C64: 64,
  F8_E5M2: 8,
  F8_E5M2FNUZ: 8,
  F8_E4M3FNUZ: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
};

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number; // relative to the end of the header
  readonly end: number;
}

/**
 * Reads where each tensor of a safetensors file is, and nothing else. The checks are those of the format's specification: each
 * extent is what dtype and shape need, and together they cover the rest of the file without gap or overlap, so that
 * no byte is two things at once.
 */
export async function readSafetensors(file: BinaryFile): Promise<WeightFile> {
  const { header, bytes } = await readHeader(file);
  const dataStart = 8 + bytes.length;
  const entries: Entry[] = [];
  for (const name of Object.keys(header)) {
    if (name === "__metadata__") continue;
    entries.push(checkEntry(file, name, header[name]!));
  }
  if (entries.length > MAX_TENSORS)
    throw invalid(file, `lists ${entries.length} tensors, more than the ${MAX_TENSORS} a checkpoint can have`);
  checkCover(file, entries, file.size - dataStart);

  const tensors: StoredTensor[] = [];
  const unreadable: UnreadableTensor[] = [];
  for (const { name, dtype, shape, begin, end } of entries) {
    const format = own(READABLE, dtype)?.format;
    if (format === undefined) {
      const reason = `dtype ${dtype} is not one that can be read (${Object.keys(READABLE).join(", ")})`;
      unreadable.push({ name, shape, dtype, bytes: end - begin, file: file.path, reason });
      continue;
    }
    const data = { file: file.realPath, offset: dataStart + begin, length: end - begin };
    tensors.push({ name, shape, format, parts: { data } });
  }
  const headerHash = createHash("sha256").update(bytes).digest("hex");
  return { file, tensors, unreadable, headerHash };
}

async function readHeader(file: BinaryFile): Promise<{ header: JsonObject; bytes: Uint8Array }> {
  if (file.size < 8)
    throw new CheckpointError("file-truncated", `has ${file.size} bytes, too few for a safetensors file`, {
      file: file.path,
    });
  const prefix = await file.read(0, 8);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(file.size - 8))
    throw new CheckpointError(
      "file-truncated",
      `its header should have ${length} bytes, but only ${file.size - 8} follow; the file is cut off, or not safetensors`,
      { file: file.path },
    );
  if (length > MAX_SAFETENSORS_HEADER)
    throw new CheckpointError(
      "limit-exceeded",
      `its header should have ${length} bytes, more than the format's limit of ${MAX_SAFETENSORS_HEADER}`,
      { file: file.path },
    );
  const bytes = await file.read(8, Number(length));
  let header: unknown;
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError("file-invalid", "its header is not JSON", { file: file.path, cause: error });
  }
  if (!isObject(header)) throw invalid(file, "its header is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined)
    throw new CheckpointError("tensor-duplicate", "is in the header twice", { file: file.path, tensor: twice });
  return { header, bytes };
}

function checkEntry(file: BinaryFile, name: string, entry: Json): Entry {
  const bad = (reason: string) => new CheckpointError("tensor-invalid", reason, { file: file.path, tensor: name });
  if (!isObject(entry)) throw bad("its entry is not an object");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") throw bad("its entry has no dtype");
  const bits = own(READABLE, dtype)?.bits ?? own(KNOWN_BITS, dtype);
  if (bits === undefined) throw bad(`there is no dtype ${JSON.stringify(dtype).slice(0, 40)}`);
  if (!isShape(shape)) throw bad("its shape is not a list of sizes");
  if (!isShape(offsets) || offsets.length !== 2) throw bad("its data_offsets are not two positions");
  const [begin, end] = offsets as [number, number];
  if (end < begin) throw bad(`it ends at ${end}, before it begins at ${begin}`);
  let elements = 1;
  for (const dim of shape) elements *= dim;
  const needed = Math.ceil((elements * bits) / 8);
  if (!Number.isSafeInteger(elements * bits) || needed !== end - begin)
    throw bad(`${dtype} of shape [${shape.join(", ")}] needs ${needed} bytes, not the ${end - begin} it has`);
  return { name, dtype, shape, begin, end };
}

/** A dtype may be called `constructor`, too. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function isShape(value: Json | undefined): value is readonly number[] {
  return (
    Array.isArray(value) && value.length <= MAX_RANK && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0)
  );
}

/** Together the tensors cover all of the data, each byte once. */
function checkCover(file: BinaryFile, entries: readonly Entry[], size: number): void {
  const sorted = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  let previous = "";
  for (const { name, begin, end } of sorted) {
    const where = { file: file.path, tensor: name };
    if (end > size)
      throw new CheckpointError(
        "file-truncated",
        `it ends ${end - size} bytes past the end of the file; the file is cut off`,
        where,
      );
    if (begin < covered)
      throw new CheckpointError("tensor-invalid", `it overlaps tensor ${printable(previous)}`, where);
    if (begin > covered)
      throw new CheckpointError("tensor-invalid", `${begin - covered} bytes before it belong to no tensor`, where);
    covered = end;
    previous = name;
  }
  if (covered !== size) throw invalid(file, `its last ${size - covered} bytes belong to no tensor`);
}

function invalid(file: BinaryFile, reason: string): CheckpointError {
  return new CheckpointError("file-invalid", reason, { file: file.path });
}
