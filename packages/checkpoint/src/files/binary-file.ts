import { close, fstat, open, read } from "node:fs";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";
import { CheckpointError } from "../error.ts";

/** One call reads at most this much: the kernel caps a read just below 2 GiB, and smaller ones can be given up between. */
const LARGEST_READ = 256 * 1024 * 1024;

// Plain descriptors: a FileHandle that somebody forgot to close takes the whole process down when it is collected.
const [openFile, closeFile, statFile, readFile] = [
  promisify(open),
  promisify(close),
  promisify(fstat),
  promisify(read),
];

/** A file that stays open for reading at any offset. Every read is checked against the size it had when it was opened. */
export class BinaryFile {
  readonly path: string; // as the user knows it, for messages
  readonly realPath: string; // with links resolved: what other programs can link to or map
  readonly size: number;
  readonly mtimeMs: number;
  readonly #descriptor: number;

  private constructor(path: string, realPath: string, size: number, mtimeMs: number, descriptor: number) {
    this.path = path;
    this.realPath = realPath;
    this.size = size;
    this.mtimeMs = mtimeMs;
    this.#descriptor = descriptor;
  }

  static async open(path: string): Promise<BinaryFile> {
    let descriptor: number;
    try {
      descriptor = await openFile(path, "r");
    } catch (error) {
      throw fileError(path, error);
    }
    try {
      const [stat, real] = await Promise.all([statFile(descriptor), realpath(path)]);
      if (!stat.isFile()) throw new CheckpointError("file-invalid", "is not a regular file", { file: path });
      return new BinaryFile(path, real, stat.size, stat.mtimeMs, descriptor);
    } catch (error) {
      await closeFile(descriptor);
      throw error;
    }
  }

  /** Fills `into` with the bytes from `offset` on. */
  async readInto(offset: number, into: Uint8Array): Promise<void> {
    this.#checkRange(offset, into.length);
    let done = 0;
    while (done < into.length) {
      const want = Math.min(into.length - done, LARGEST_READ);
      const { bytesRead } = await readFile(this.#descriptor, into, done, want, offset + done);
      if (bytesRead === 0)
        throw new CheckpointError("file-truncated", `has shrunk since it was opened, from ${this.size} bytes`, {
          file: this.path,
        });
      done += bytesRead;
    }
  }

  /** The bytes [offset, offset + length) in a new buffer. The caller has checked `length` against a limit. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#checkRange(offset, length); // before allocating: a lying length must not cost memory
    const bytes = new Uint8Array(length);
    await this.readInto(offset, bytes);
    return bytes;
  }

  close(): Promise<void> {
    return closeFile(this.#descriptor);
  }

  #checkRange(offset: number, length: number): void {
    if (offset >= 0 && length >= 0 && offset + length <= this.size) return;
    throw new CheckpointError(
      "file-truncated",
      `bytes ${offset} to ${offset + length} are past its end, it has ${this.size}`,
      { file: this.path },
    );
  }
}

/** What the operating system said about a path, as one of our errors. */
export function fileError(path: string, error: unknown): CheckpointError {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  const known = REASONS[code];
  return new CheckpointError(known?.code ?? "file-invalid", known?.reason ?? `can't be read (${code})`, {
    file: path,
    cause: error,
  });
}

const REASONS: Readonly<Record<string, { code: "file-missing" | "file-invalid"; reason: string }>> = {
  ENOENT: { code: "file-missing", reason: "does not exist" },
  ENOTDIR: { code: "file-missing", reason: "does not exist" },
  EACCES: { code: "file-invalid", reason: "can't be read: permission denied" },
  EPERM: { code: "file-invalid", reason: "can't be read: permission denied" },
  EISDIR: { code: "file-invalid", reason: "is a folder, not a file" },
  ELOOP: { code: "file-invalid", reason: "is a link that leads back to itself" },
};
