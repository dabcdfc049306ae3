import { CheckpointError } from "./error.ts";
import type { BinaryFile } from "./files/binary-file.ts";
import { readSafetensors } from "./safetensors/header.ts";
import { openWeightFiles, readShardIndex } from "./shards.ts";
import type { StoredWeights, WeightFile } from "./stored-weights.ts";

/** One published way to name weight files. */
interface Layout {
  readonly single: string;
  readonly index: string;
  /** Shards whose index is missing, when they are all there. */
  readonly shard: RegExp;
  /** Names that other tools gave; only taken when there is exactly one. */
  readonly other: RegExp;
  readonly read: (file: BinaryFile) => Promise<WeightFile>;
}

/** Best first: safetensors are read in place, and can't hold code. What is rarer is loaded when it is needed. */
const LAYOUTS: readonly Layout[] = [
  {
    single: "model.safetensors",
    index: "model.safetensors.index.json",
    shard: /^model-(?<number>\d{5})-of-(?<count>\d{5})\.safetensors$/,
    other: /^(?!adapter_)[^/]+\.safetensors$/,
    read: readSafetensors,
  },
  {
    single: "pytorch_model.bin",
    index: "pytorch_model.bin.index.json",
    shard: /^pytorch_model-(?<number>\d{5})-of-(?<count>\d{5})\.bin$/,
    other: /^(?!adapter_)[^/]*model[^/]*\.(bin|pt|pth)$/, // not optimizer.bin, training_args.bin …
    read: async (file) => (await import("./torch/read.ts")).readTorch(file),
  },
];

/** Opens the weights of a folder that have one of the standard names; undefined when none have. */
export async function openStandardWeights(
  folder: string,
  files: readonly string[],
): Promise<StoredWeights | undefined> {
  for (const layout of LAYOUTS) {
    if (files.includes(layout.single)) return openWeightFiles(folder, [layout.single], layout.read);
    if (files.includes(layout.index)) {
      const index = await readShardIndex(folder, layout.index);
      return openWeightFiles(folder, index.files, layout.read, index);
    }
    const shards = files.filter((name) => layout.shard.test(name));
    if (shards.length > 0) {
      checkComplete(folder, shards, layout.shard);
      return openWeightFiles(folder, shards, layout.read);
    }
  }
  return undefined;
}

/** Opens the one weight file with a name of its own. For when nothing else is there: such files may be something else. */
export async function openOtherWeights(folder: string, files: readonly string[]): Promise<StoredWeights | undefined> {
  for (const layout of LAYOUTS) {
    const others = files.filter((name) => layout.other.test(name));
    if (others.length === 1) return openWeightFiles(folder, others, layout.read);
    if (others.length > 1) throw ambiguous(folder, others);
  }
  return undefined;
}

function ambiguous(folder: string, names: readonly string[]): CheckpointError {
  const listed = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  return new CheckpointError(
    "not-a-checkpoint",
    `holds several weight files (${listed}) but no index; name one of them`,
    {
      file: folder,
    },
  );
}

/** The reader for one weight file named by itself. */
export function readerFor(name: string): ((file: BinaryFile) => Promise<WeightFile>) | undefined {
  return LAYOUTS.find(({ single, other }) => name === single || other.test(name))?.read;
}

function checkComplete(folder: string, shards: readonly string[], pattern: RegExp): void {
  const { count } = pattern.exec(shards[0]!)!.groups!;
  const numbers = new Set(shards.map((name) => Number(pattern.exec(name)!.groups!.number)));
  for (let number = 1; number <= Number(count); number++)
    if (!numbers.has(number))
      throw new CheckpointError("file-missing", `has weight shards of ${Number(count)}, but not number ${number}`, {
        file: folder,
      });
}
