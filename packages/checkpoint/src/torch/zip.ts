import { CheckpointError } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { MAX_ZIP_DIRECTORY } from "../limits.ts";

/** Where an entry's bytes are. */
export interface ZipEntry {
  readonly name: string;
  readonly offset: number; // of the data
  readonly size: number;
  /** Stored as they are, neither compressed nor encrypted; PyTorch does that with all data, so as to map it. */
  readonly plain: boolean;
}

const END_SIGNATURE = 0x06054b50;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;

const END_SIZE = 22;
const END64_LOCATOR_SIZE = 20;
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const LONGEST_COMMENT = 0xffff;

/** Where the entries of a zip file are. Names are only looked up, never turned into paths. */
export async function readZip(file: BinaryFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await readDirectory(file);
  const found = parseDirectory(file, directory);
  const entries = new Map<string, ZipEntry>();
  // The local header repeats name and extra field with other lengths, so the data's place is only known from it.
  const inFlight = 64;
  for (let i = 0; i < found.length; i += inFlight) {
    const batch = found.slice(i, i + inFlight);
    const offsets = await Promise.all(batch.map((entry) => dataOffset(file, entry)));
    batch.forEach(({ name, size, plain }, j) => {
      if (entries.has(name)) throw invalid(file, `its entry ${JSON.stringify(name)} is there twice`);
      entries.set(name, { name, size, offset: offsets[j]!, plain });
    });
  }
  return entries;
}

interface Found {
  readonly name: string;
  readonly size: number;
  readonly header: number;
  readonly plain: boolean;
}

async function readDirectory(file: BinaryFile): Promise<DataView> {
  const tailLength = Math.min(file.size, END_SIZE + LONGEST_COMMENT + END64_LOCATOR_SIZE);
  const tailStart = file.size - tailLength;
  const tail = view(await file.read(tailStart, tailLength));
  let end = tailLength - END_SIZE;
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === END_SIGNATURE && end + END_SIZE + tail.getUint16(end + 20, true) === tailLength)
  )
    end--;
  if (end < 0)
    throw new CheckpointError("file-truncated", "its zip directory is missing; the file is cut off", {
      file: file.path,
    });
  let size = tail.getUint32(end + 12, true);
  let offset = tail.getUint32(end + 16, true);
  const locator = end - END64_LOCATOR_SIZE;
  if (locator >= 0 && tail.getUint32(locator, true) === END64_LOCATOR_SIGNATURE) {
    const end64 = view(await file.read(count(file, tail.getBigUint64(locator + 8, true)), 56));
    if (end64.getUint32(0, true) !== END64_SIGNATURE) throw invalid(file, "its zip directory makes no sense");
    size = count(file, end64.getBigUint64(40, true));
    offset = count(file, end64.getBigUint64(48, true));
  }
  if (size > MAX_ZIP_DIRECTORY)
    throw new CheckpointError("limit-exceeded", `its zip directory has ${size} bytes, more than ${MAX_ZIP_DIRECTORY}`, {
      file: file.path,
    });
  return view(await file.read(offset, size));
}

function parseDirectory(file: BinaryFile, directory: DataView): Found[] {
  const found: Found[] = [];
  let at = 0;
  while (at + CENTRAL_SIZE <= directory.byteLength) {
    if (directory.getUint32(at, true) !== CENTRAL_SIGNATURE) throw invalid(file, "its zip directory makes no sense");
    const flags = directory.getUint16(at + 8, true);
    const method = directory.getUint16(at + 10, true);
    const nameLength = directory.getUint16(at + 28, true);
    const extraLength = directory.getUint16(at + 30, true);
    const next = at + CENTRAL_SIZE + nameLength + extraLength + directory.getUint16(at + 32, true);
    if (next > directory.byteLength) throw invalid(file, "its zip directory makes no sense");
    const name = new TextDecoder().decode(bytesOf(directory, at + CENTRAL_SIZE, nameLength));
    const plain = method === 0 && (flags & 1) === 0;
    const sizes = {
      compressed: directory.getUint32(at + 20, true),
      size: directory.getUint32(at + 24, true),
      header: directory.getUint32(at + 42, true),
    };
    const wide = zip64(file, sizes, directory, at + CENTRAL_SIZE + nameLength, extraLength);
    if (plain && wide.size !== wide.compressed)
      throw invalid(file, `its entry ${JSON.stringify(name)} has two different sizes`);
    found.push({ name, size: wide.compressed, header: wide.header, plain });
    at = next;
  }
  return found;
}

interface Sizes {
  readonly compressed: number;
  readonly size: number;
  readonly header: number;
}

/** Fields that don't fit into 32 bits are all ones, and are in an extra field instead, in this order. */
function zip64(file: BinaryFile, sizes: Sizes, directory: DataView, start: number, length: number): Sizes {
  const full = 0xffffffff;
  if (sizes.size !== full && sizes.compressed !== full && sizes.header !== full) return sizes;
  const end = start + length;
  for (let at = start; at + 4 <= end; at += 4 + directory.getUint16(at + 2, true)) {
    if (directory.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    const last = Math.min(end, field + directory.getUint16(at + 2, true));
    const wide = (narrow: number): number => {
      if (narrow !== full) return narrow;
      if (field + 8 > last) throw invalid(file, "its zip directory makes no sense");
      const value = count(file, directory.getBigUint64(field, true));
      field += 8;
      return value;
    };
    const size = wide(sizes.size);
    const compressed = wide(sizes.compressed);
    return { size, compressed, header: wide(sizes.header) };
  }
  throw invalid(file, "its zip directory makes no sense");
}

async function dataOffset(file: BinaryFile, { name, size, header }: Found): Promise<number> {
  const local = view(await file.read(header, LOCAL_SIZE));
  if (local.getUint32(0, true) !== LOCAL_SIGNATURE)
    throw invalid(file, `its entry ${JSON.stringify(name)} is not where it should be`);
  const offset = header + LOCAL_SIZE + local.getUint16(26, true) + local.getUint16(28, true);
  if (offset + size > file.size)
    throw new CheckpointError("file-truncated", `its entry ${JSON.stringify(name)} ends past the end of the file`, {
      file: file.path,
    });
  return offset;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesOf(data: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset + offset, length);
}

function count(file: BinaryFile, value: bigint): number {
  if (value > BigInt(file.size))
    throw new CheckpointError("file-truncated", "its zip directory points past the end of the file", {
      file: file.path,
    });
  return Number(value);
}

function invalid(file: BinaryFile, reason: string): CheckpointError {
  return new CheckpointError("file-invalid", reason, { file: file.path });
}
