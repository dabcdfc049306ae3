import { type FileHandle, open } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";

const inflate = promisify(inflateRaw);

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number; // of its local header
}

/** The end record's signature is looked for in so many of the last bytes: it is followed by a comment of at most 64 KiB. */
const TAIL = 22 + 0xffff;

/** More than any wheel's directory. */
const MOST_DIRECTORY = 64 << 20;

/** Reads files out of a zip (a wheel), one at a time, each checked. Small enough ones: without the extensions past 4 GB. */
export class Zip {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(file: FileHandle, path: string, entries: ReadonlyMap<string, Entry>) {
    this.#file = file;
    this.#path = path;
    this.#entries = entries;
  }

  static async open(path: string): Promise<Zip> {
    const file = await open(path, "r");
    try {
      return new Zip(file, path, await readDirectory(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** One file's bytes. */
  async read(name: string): Promise<Buffer> {
    const entry = this.#entries.get(name);
    if (!entry) throw new Error(`${this.#path} has no ${name}`);
    const head = await bytesAt(this.#file, entry.at, 30, this.#path);
    if (head.readUInt32LE(0) !== 0x04034b50) throw damaged(this.#path, name);
    const from = entry.at + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    const packed = await bytesAt(this.#file, from, entry.packed, this.#path);
    const bytes = entry.method === 0 ? packed : await inflate(packed, { maxOutputLength: entry.size + 1 });
    if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) throw damaged(this.#path, name);
    return bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function readDirectory(file: FileHandle, path: string): Promise<ReadonlyMap<string, Entry>> {
  const { size } = await file.stat();
  const tail = await bytesAt(file, Math.max(0, size - TAIL), Math.min(size, TAIL), path);
  const end = tail.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0 || end + 22 > tail.length) throw new Error(`${path} is no zip file, or was cut off`);
  const length = tail.readUInt32LE(end + 12);
  if (length > MOST_DIRECTORY) throw damaged(path, "its directory");
  const directory = await bytesAt(file, tail.readUInt32LE(end + 16), length, path);
  const entries = new Map<string, Entry>();
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    const name = directory.toString("utf8", at + 46, at + 46 + nameLength);
    entries.set(name, {
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      at: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function bytesAt(file: FileHandle, at: number, length: number, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  if (bytesRead !== length) throw new Error(`${path} ends too early`);
  return bytes;
}

function damaged(path: string, what: string): Error {
  return new Error(`${path} is damaged at ${what}`);
}
