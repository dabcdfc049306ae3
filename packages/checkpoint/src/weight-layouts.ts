import { join } from "node:path";
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

/** Best first: safetensors are read in place, and can't hold code. */
const LAYOUTS: readonly Layout[] = [
  {
    single: "model.safetensors",
    index: "model.safetensors.index.json",
    shard: /^model-(?<number>\d{5})-of-(?<count>\d{5})\.safetensors$/,
    other: /^(?!adapter_|training_|optimizer|consolidated)[^/]+\.safetensors$/,
    read: readSafetensors,
  },
];

/** Opens the weights among a folder's files; undefined when there are none. */
export async function openWeights(folder: string, files: readonly string[]): Promise<StoredWeights | undefined> {
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
    const others = files.filter((name) => layout.other.test(name));
    if (others.length === 1) return openWeightFiles(folder, others, layout.read);
    if (others.length > 1)
      throw new CheckpointError(
        "not-a-checkpoint",
        `holds several weight files (${others.slice(0, 4).join(", ")}${others.length > 4 ? ", …" : ""}) but no index; name one of them`,
        { file: folder },
      );
  }
  return undefined;
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
        file: join(folder),
      });
}
