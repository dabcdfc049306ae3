import { createHash } from "node:crypto";
import type { Span, StoredTensor, WeightSource } from "@llm/tensor";
import { CheckpointError } from "./error.ts";
import type { BinaryFile } from "./files/binary-file.ts";

/** A tensor that is there but can't be read; it is an error only for who asks for it. */
export interface UnreadableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string; // as the file calls it
  readonly bytes: number;
  readonly file: string;
  readonly reason: string;
}

/** What one weight file holds, whatever its format. */
export interface WeightFile {
  readonly file: BinaryFile;
  readonly tensors: readonly StoredTensor[];
  readonly unreadable: readonly UnreadableTensor[];
  /** SHA-256 over whatever says where tensors are and what they look like. */
  readonly headerHash: string;
}

/** Weights in open files. Nothing is held in memory but the list of tensors. */
export class StoredWeights implements WeightSource {
  readonly fingerprint: string;
  readonly unreadable: ReadonlyMap<string, UnreadableTensor>;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #files: ReadonlyMap<string, BinaryFile>;
  readonly #weightFiles: readonly WeightFile[];
  #closed = false;

  constructor(
    files: readonly WeightFile[],
    tensors: ReadonlyMap<string, StoredTensor>,
    unreadable: ReadonlyMap<string, UnreadableTensor> = new Map(),
  ) {
    this.fingerprint = fingerprint(files);
    this.#weightFiles = files;
    this.#files = new Map(files.map(({ file }) => [file.realPath, file]));
    this.#tensors = tensors;
    this.unreadable = unreadable;
  }

  /** The same files, with their tensors presented otherwise: a quantised layer's parts as one. */
  presenting(tensors: ReadonlyMap<string, StoredTensor>): StoredWeights {
    return new StoredWeights(this.#weightFiles, tensors, this.unreadable);
  }

  names(): Iterable<string> {
    return this.#tensors.keys();
  }

  get(name: string): StoredTensor | undefined {
    const bad = this.unreadable.get(name);
    if (bad) throw new CheckpointError("tensor-unsupported", bad.reason, { file: bad.file, tensor: name });
    return this.#tensors.get(name);
  }

  async read(span: Span, into: Uint8Array): Promise<void> {
    if (this.#closed) throw new CheckpointError("closed", "the checkpoint has been closed");
    if (into.length !== span.length)
      throw new RangeError(`a buffer of ${into.length} bytes for a span of ${span.length}`);
    const file = this.#files.get(span.file);
    if (!file) throw new CheckpointError("file-missing", "is not a file of this checkpoint", { file: span.file });
    await file.readInto(span.offset, into);
  }

  /** A file's path as the user knows it: spans have links resolved. */
  nameOf(realPath: string): string {
    return this.#files.get(realPath)?.path ?? realPath;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#files.values()].map((file) => file.close()));
  }
}

/**
 * Known by header, size and time of last change, so that it costs nothing: 30 GB are never hashed to find out that they are the
 * same. The folder is left out, so that a checkpoint that was moved is still the same.
 */
function fingerprint(files: readonly WeightFile[]): string {
  const hash = createHash("sha256");
  for (const { file, headerHash } of files) hash.update(`${headerHash} ${file.size} ${file.mtimeMs}\n`);
  return hash.digest("hex");
}

/** Weights of a checkpoint that has none: a config alone, enough for planning. */
export function noWeights(): StoredWeights {
  return new StoredWeights([], new Map());
}
