import { CheckpointError } from "./error.ts";
import type { BinaryFile } from "./files/binary-file.ts";
import { readSafetensors } from "./safetensors/header.ts";
import { openWeightFiles, readShardIndex } from "./shards.ts";
import type { StoredWeights, WeightFile } from "./stored-weights.ts";

/** One published way to name weight files. */
interface Layout {
  /** The name, without ending, that goes before all others. */
  readonly standard: string;
  readonly suffixes: readonly string[];
  /** Names that other tools gave; only taken when they are of one model. */
  readonly other: RegExp;
  readonly read: (file: BinaryFile) => Promise<WeightFile>;
}

/** Best first: safetensors are read in place, and can't hold code. What is rarer is loaded when it is needed. */
const LAYOUTS: readonly Layout[] = [
  {
    standard: "model",
    suffixes: [".safetensors"],
    other: /^(?!adapter_)[^/]+\.safetensors$/,
    read: readSafetensors,
  },
  {
    standard: "pytorch_model",
    suffixes: [".bin", ".pt", ".pth"],
    other: /^(?!adapter_)[^/]*model[^/]*\.(bin|pt|pth)$/, // not optimizer.bin, training_args.bin …
    read: async (file) => (await import("./torch/read.ts")).readTorch(file),
  },
];

/** `stem-00002-of-00003.safetensors`; BLOOM has an underscore for the first hyphen. */
const SHARD = /^(?<stem>.+)[-_](?<number>\d{5})-of-(?<count>\d{5})(?<suffix>\.[a-z]+)$/;

/** Opens the weights of a folder that have one of the standard names; undefined when none have. */
export async function openStandardWeights(
  folder: string,
  files: readonly string[],
): Promise<StoredWeights | undefined> {
  for (const layout of LAYOUTS) {
    const weights = await openStem(folder, files, layout, layout.standard);
    if (weights) return weights;
  }
  return undefined;
}

/** Opens the one model whose files have a name of its own. For when nothing else is there: such files may be something else. */
export async function openOtherWeights(folder: string, files: readonly string[]): Promise<StoredWeights | undefined> {
  for (const layout of LAYOUTS) {
    const others = files.filter((name) => layout.other.test(name));
    const stems = new Set(others.map(stemOf));
    if (stems.size > 1) throw ambiguous(folder, others);
    for (const stem of stems) return openStem(folder, files, layout, stem);
  }
  return undefined;
}

/** Opens the weights that a weight file stands for: itself, or all shards that it is one of. */
export async function openNamedWeights(folder: string, files: readonly string[], name: string): Promise<StoredWeights> {
  const layout = layoutOf(name)!;
  const sharded = SHARD.test(name) ? await openShards(folder, files, layout, stemOf(name)) : undefined;
  return sharded ?? openWeightFiles(folder, [name], layout.read);
}

/** The reader for any file of tensors, whatever they are of; undefined for other files. */
export function tensorReaderFor(name: string): ((file: BinaryFile) => Promise<WeightFile>) | undefined {
  return LAYOUTS.find(({ suffixes }) => suffixes.some((suffix) => name.endsWith(suffix)))?.read;
}

/** The reader for one weight file named by itself; undefined for other files. */
export function readerFor(name: string): ((file: BinaryFile) => Promise<WeightFile>) | undefined {
  return layoutOf(name)?.read;
}

function layoutOf(name: string): Layout | undefined {
  return LAYOUTS.find(({ other }) => other.test(name));
}

function stemOf(name: string): string {
  return SHARD.exec(name)?.groups?.stem ?? name.slice(0, name.lastIndexOf("."));
}

/** One file of that name, else its shards. */
async function openStem(
  folder: string,
  files: readonly string[],
  layout: Layout,
  stem: string,
): Promise<StoredWeights | undefined> {
  const single = layout.suffixes.map((suffix) => `${stem}${suffix}`).find((name) => files.includes(name));
  if (single !== undefined) return openWeightFiles(folder, [single], layout.read);
  return openShards(folder, files, layout, stem);
}

/** The shards that an index names; without one those that their names make complete. */
async function openShards(
  folder: string,
  files: readonly string[],
  { suffixes, read }: Layout,
  stem: string,
): Promise<StoredWeights | undefined> {
  for (const suffix of suffixes) {
    const named = `${stem}${suffix}.index.json`;
    if (files.includes(named)) {
      const index = await readShardIndex(folder, named);
      return openWeightFiles(folder, index.files, read, index);
    }
    const shards = files.filter((name) => {
      const groups = SHARD.exec(name)?.groups;
      return groups?.stem === stem && groups.suffix === suffix;
    });
    if (shards.length > 0) {
      checkComplete(folder, shards);
      return openWeightFiles(folder, shards, read);
    }
  }
  return undefined;
}

function checkComplete(folder: string, shards: readonly string[]): void {
  const { count } = SHARD.exec(shards[0]!)!.groups!;
  const numbers = new Set(shards.map((name) => Number(SHARD.exec(name)!.groups!.number)));
  for (let number = 1; number <= Number(count); number++)
    if (!numbers.has(number))
      throw new CheckpointError("file-missing", `has weight shards of ${Number(count)}, but not number ${number}`, {
        file: folder,
      });
}

function ambiguous(folder: string, names: readonly string[]): CheckpointError {
  const listed = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  return new CheckpointError("not-a-checkpoint", `holds weight files of several models (${listed}); name one of them`, {
    file: folder,
  });
}
