import { type FileHandle, open } from "node:fs/promises";
import { TargetError } from "@llm/target";
import { Damaged } from "./damaged.ts";
import { type Network, readNetwork } from "./network.ts";

/** What a compiled program's file holds. */
export interface Qpc {
  readonly bytes: number;
  readonly version: string;
  readonly compression: string;
  readonly segments: readonly Segment[];
  /** Absent where the file has no description of its network. */
  readonly network?: Network;
  /** QPCs inside it, one for each device that shares the model. */
  readonly inner: readonly { readonly name: string; readonly qpc: Qpc }[];
}

export interface Segment {
  readonly name: string;
  readonly bytes: number;
  /** Where it starts in the file. */
  readonly start: number;
  /** Its own offset field: of constants, the bytes of those that don't change. */
  readonly offset: number;
}

export const QPC_MAGIC = 0x00a1cd7c;
const HEADER_BYTES = 40;
const ENTRY_BYTES = 32;
const COMPRESSIONS: readonly string[] = ["fast path", "slow path"];

/** More segments than a QPC of sixteen devices has. */
const MOST_SEGMENTS = 1024;
const MOST_NAME = 4096;
/** Descriptions are a few hundred kilobytes; a damaged size must not make us reserve gigabytes. */
const MOST_DESCRIPTION = 256 << 20;
/** A QPC of several devices holds theirs, and those hold none. */
const MOST_DEPTH = 2;

/** Reads a compiled program's header and network description; weights and code are not touched. */
export async function readQpc(file: string): Promise<Qpc> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    throw new TargetError("artefact-missing", `${file} can't be opened (${error.code})`, { cause: error });
  });
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new TargetError("artefact-damaged", `${file} is not a file`);
    return await readAt(new Window(handle, 0, info.size), MOST_DEPTH);
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new TargetError("artefact-damaged", `${file}: ${error.message}`, { cause: error });
  } finally {
    await handle.close();
  }
}

/** A part of a file; nothing outside it can be read through it. */
class Window {
  readonly #file: FileHandle;
  readonly #start: number;
  readonly bytes: number;

  constructor(file: FileHandle, start: number, bytes: number) {
    this.#file = file;
    this.#start = start;
    this.bytes = bytes;
  }

  part(start: number, bytes: number): Window {
    this.#check(start, bytes);
    return new Window(this.#file, this.#start + start, bytes);
  }

  async read(start: number, bytes: number): Promise<Buffer> {
    this.#check(start, bytes);
    const into = Buffer.alloc(bytes);
    let done = 0;
    while (done < bytes) {
      const { bytesRead } = await this.#file.read(into, done, bytes - done, this.#start + start + done);
      if (bytesRead === 0) throw new Damaged("it got shorter while it was read");
      done += bytesRead;
    }
    return into;
  }

  #check(start: number, bytes: number): void {
    if (!(start >= 0 && bytes >= 0 && start + bytes <= this.bytes))
      throw new Damaged(`${bytes} bytes at ${start} are outside of it (${this.bytes} bytes)`);
  }
}

async function readAt(window: Window, depth: number): Promise<Qpc> {
  const header = await window.read(0, Math.min(HEADER_BYTES, window.bytes));
  if (header.length < HEADER_BYTES || header.readUInt32LE(0) !== QPC_MAGIC)
    throw new Damaged("it doesn't begin as a QPC does");
  const base = header.readBigUInt64LE(16);
  const count = header.readBigUInt64LE(24);
  if (count > MOST_SEGMENTS) throw new Damaged(`${count} segments`);
  const table = await window.read(position(header.readBigUInt64LE(32), base), Number(count) * ENTRY_BYTES);
  const segments: Segment[] = [];
  for (let at = 0; at < table.length; at += ENTRY_BYTES) {
    const [bytes, offset] = [size(table.readBigUInt64LE(at)), size(table.readBigUInt64LE(at + 8))];
    const start = position(table.readBigUInt64LE(at + 24), base);
    window.part(start, bytes);
    segments.push({ name: await nameAt(window, position(table.readBigUInt64LE(at + 16), base)), bytes, start, offset });
  }
  const described = segments.find(({ name }) => name === "networkdesc.bin");
  if (described && described.bytes > MOST_DESCRIPTION) throw new Damaged(`a description of ${described.bytes} bytes`);
  const network = described && readNetwork(await window.read(described.start, described.bytes));
  return {
    bytes: window.bytes,
    version: `${header.readUInt8(4)}.${header.readUInt8(5)}`,
    compression: COMPRESSIONS[header.readUInt16LE(6)] ?? `kind ${header.readUInt16LE(6)}`,
    segments,
    ...(network ? { network } : {}),
    inner: await innerOf(window, segments, depth),
  };
}

/** Segments that are QPCs themselves; what isn't is opaque. */
async function innerOf(window: Window, segments: readonly Segment[], depth: number): Promise<Qpc["inner"]> {
  const inner: { name: string; qpc: Qpc }[] = [];
  if (depth <= 1) return inner;
  for (const { name, start, bytes } of segments) {
    if (bytes < HEADER_BYTES) continue;
    if ((await window.read(start, 4)).readUInt32LE(0) !== QPC_MAGIC) continue;
    inner.push({ name, qpc: await readAt(window.part(start, bytes), depth - 1) });
  }
  return inner;
}

/** Pointers count from the base, which is an address in files that were written from memory. */
function position(pointer: bigint, base: bigint): number {
  if (pointer < base) throw new Damaged("a pointer to before its beginning");
  return size(pointer - base);
}

function size(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new Damaged(`a size of ${value}`);
  return Number(value);
}

async function nameAt(window: Window, start: number): Promise<string> {
  const bytes = await window.read(start, Math.min(MOST_NAME, Math.max(0, window.bytes - start)));
  const end = bytes.indexOf(0);
  if (end < 0) throw new Damaged("a name without an end");
  return bytes.toString("utf8", 0, end);
}
