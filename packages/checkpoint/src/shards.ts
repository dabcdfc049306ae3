import { join } from "node:path";
import type { StoredTensor } from "@llm/tensor";
import { CheckpointError, printable } from "./error.ts";
import { BinaryFile, fileError } from "./files/binary-file.ts";
import { checkFileName } from "./files/safe-name.ts";
import { jsonObject, readSmallFile } from "./files/side-files.ts";
import { duplicateKey, isObject } from "./json.ts";
import { MAX_INDEX_BYTES, MAX_SHARDS } from "./limits.ts";
import { StoredWeights, type UnreadableTensor, type WeightFile } from "./stored-weights.ts";

/** Which tensor is in which file, as `*.index.json` says it. */
export interface ShardIndex {
  readonly path: string;
  readonly files: readonly string[]; // relative to its folder, each once, in order of their names
  readonly fileOf: ReadonlyMap<string, string>;
}

/** Reads `model.safetensors.index.json` or its PyTorch twin. */
export async function readShardIndex(folder: string, name: string): Promise<ShardIndex> {
  const path = join(folder, name);
  const bytes = await readSmallFile(path, MAX_INDEX_BYTES);
  if (!bytes) throw new CheckpointError("file-missing", "does not exist", { file: path });
  const { weight_map: map } = jsonObject(bytes, path);
  if (!isObject(map)) throw new CheckpointError("file-invalid", 'has no "weight_map"', { file: path });
  const twice = duplicateKey(new TextDecoder().decode(bytes), 2);
  if (twice !== undefined)
    throw new CheckpointError("tensor-duplicate", "is listed twice", { file: path, tensor: twice });
  const fileOf = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string")
      throw new CheckpointError("file-invalid", "its entry is not a file name", { file: path, tensor });
    fileOf.set(tensor, checkFileName(file, path));
  }
  const files = [...new Set(fileOf.values())].sort();
  if (files.length > MAX_SHARDS)
    throw new CheckpointError("limit-exceeded", `names ${files.length} files, more than ${MAX_SHARDS}`, { file: path });
  return { path, files, fileOf };
}

/** Opens weight files with one format's reader; if one can't be read, none stays open. */
export async function openWeightFiles(
  folder: string,
  names: readonly string[],
  read: (file: BinaryFile) => Promise<WeightFile>,
  index?: ShardIndex,
): Promise<StoredWeights> {
  const results = await Promise.allSettled(names.map((name) => openOne(join(folder, name), read, index)));
  const files = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  try {
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return merge(folder, names, files, index);
  } catch (error) {
    await Promise.all(files.map(({ file }) => file.close()));
    throw error;
  }
}

async function openOne(
  path: string,
  read: (file: BinaryFile) => Promise<WeightFile>,
  index: ShardIndex | undefined,
): Promise<WeightFile> {
  let file: BinaryFile;
  try {
    file = await BinaryFile.open(path);
  } catch (error) {
    if (index && CheckpointError.isInstance(error) && error.code === "file-missing")
      throw new CheckpointError("file-missing", `does not exist, but ${index.path} names it`, { file: path });
    throw error;
  }
  try {
    await refuseLfsPointer(file);
    return await read(file);
  } catch (error) {
    await file.close();
    // What the operating system says while reading has no path in it.
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : fileError(path, error);
  }
}

/** What a clone without Git LFS has in place of each large file. */
async function refuseLfsPointer(file: BinaryFile): Promise<void> {
  const pointer = "version https://git-lfs.github.com/spec/";
  if (file.size < pointer.length || file.size > 1024) return;
  if (Buffer.from(await file.read(0, pointer.length)).toString("latin1") === pointer)
    throw new CheckpointError("file-invalid", "is a Git LFS pointer, not the file itself; run: git lfs pull", {
      file: file.path,
    });
}

/**
 * One list of tensors out of all files. A tensor in two files is damage, unless the index says which one counts; a tensor that
 * the index promises must be in the file it names.
 */
function merge(
  folder: string,
  names: readonly string[],
  files: readonly WeightFile[],
  index: ShardIndex | undefined,
): StoredWeights {
  const tensors = new Map<string, StoredTensor>();
  const unreadable = new Map<string, UnreadableTensor>();
  const origin = new Map<string, string>();
  files.forEach(({ file, tensors: stored, unreadable: bad }, i) => {
    const shard = names[i]!;
    const counts = (name: string): boolean => {
      const named = index?.fileOf.get(name);
      if (named !== undefined && named !== shard) return false;
      const other = origin.get(name);
      if (other !== undefined)
        throw new CheckpointError("tensor-duplicate", `is in ${other} too`, { file: file.path, tensor: name });
      origin.set(name, shard);
      return true;
    };
    for (const tensor of stored) if (counts(tensor.name)) tensors.set(tensor.name, tensor);
    for (const tensor of bad) if (counts(tensor.name)) unreadable.set(tensor.name, tensor);
  });
  for (const [tensor, shard] of index?.fileOf ?? [])
    if (!origin.has(tensor))
      throw new CheckpointError("tensor-invalid", `is not in ${printable(shard)}, where ${index!.path} says it is`, {
        file: join(folder, shard),
        tensor,
      });
  return new StoredWeights(files, tensors, unreadable);
}
