import type { StoredTensor } from "@llm/tensor";
import { CheckpointError, printable } from "../error.ts";
import { BinaryFile } from "../files/binary-file.ts";
import type { JsonObject } from "../json.ts";
import { MAX_SHARDS } from "../limits.ts";
import { StoredWeights, type UnreadableTensor } from "../stored-weights.ts";
import type { GgufArchitecture } from "./architecture.ts";
import { deepseek2 } from "./deepseek.ts";
import { partsOf } from "./file-names.ts";
import { GPT_FAMILY } from "./gpt-family.ts";
import { readGgufHeader } from "./header.ts";
import { LLAMA_FAMILY } from "./llama-family.ts";
import { Metadata } from "./metadata.ts";
import { modelShape } from "./model-shape.ts";
import { publishedTensors } from "./tensors.ts";
import type { GgufHeader } from "./types.ts";
import { unreadKeys } from "./unread.ts";

const ARCHITECTURES: Readonly<Record<string, GgufArchitecture>> = { ...LLAMA_FAMILY, ...GPT_FAMILY, deepseek2 };

export interface GgufModel {
  readonly config: JsonObject;
  readonly metadata: Metadata;
  readonly weights: StoredWeights;
  /** Keys of the metadata about the model that its config doesn't hold. */
  readonly unread: readonly string[];
}

interface Part {
  readonly file: BinaryFile;
  readonly header: GgufHeader;
}

/** Opens a GGUF model; a split one by any of its files. */
export async function openGguf(path: string): Promise<GgufModel> {
  const parts: Part[] = [];
  try {
    for (const name of splitFiles(path)) {
      const file = await BinaryFile.open(name);
      const part = { file, header: await readOrClose(file) };
      parts.push(part);
    }
    for (const [index, part] of parts.entries()) checkPart(part, index, parts);
    return await assemble(parts);
  } catch (error) {
    await Promise.all(parts.map(({ file }) => file.close()));
    throw error;
  }
}

async function readOrClose(file: BinaryFile): Promise<GgufHeader> {
  try {
    return await readGgufHeader(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** `name-00002-of-00003.gguf` is one of three; the first has the metadata. */
function splitFiles(path: string): string[] {
  const parts = partsOf(path);
  if (parts.count < 1 || parts.count > MAX_SHARDS)
    throw new CheckpointError("limit-exceeded", `says it is one of ${parts.count} files`, { file: path });
  return Array.from({ length: parts.count }, (_, index) => parts.at(index));
}

/** What a part says of itself is what its name says: parts of another split, or under other names, are found out. */
function checkPart({ file, header }: Part, index: number, parts: readonly Part[]): void {
  const tensors = parts.reduce((sum, part) => sum + part.header.tensors.length, 0);
  const number = (key: string) => header.metadata.get(key);
  const count = number("split.count");
  // Converters say 0 of what is not split.
  if (typeof count !== "number" || (count <= 1 && parts.length === 1)) return;
  const fail = (reason: string) => new CheckpointError("file-invalid", reason, { file: file.path });
  const no = number("split.no");
  if (count !== parts.length || no !== index) {
    const own = typeof no === "number" ? `part ${no + 1}` : "one";
    throw fail(`is ${own} of ${count} by its own word, not ${index + 1} of ${parts.length} as its name says`);
  }
  const said = number("split.tensors.count");
  if (said !== undefined && said !== tensors)
    throw fail(`belongs to a model of ${Number(said)} tensors, but its parts have ${tensors}: one is of another model`);
}

async function assemble(parts: readonly Part[]): Promise<GgufModel> {
  const [first] = parts as [Part];
  const metadata = new Metadata(
    first.file,
    first.header,
    parts.flatMap(({ header }) => header.tensors),
  );
  const architecture = Object.hasOwn(ARCHITECTURES, metadata.architecture)
    ? ARCHITECTURES[metadata.architecture]
    : undefined;
  if (!architecture)
    throw new CheckpointError(
      "tensor-unsupported",
      `GGUF files of the architecture ${printable(metadata.architecture)} can't be read (these can: ${Object.keys(ARCHITECTURES).sort().join(", ")})`,
      { file: first.file.path },
    );
  const model = await modelShape(metadata);
  const files = parts.map(({ file, header }) => publishedTensors(file, header, architecture, model));
  const tensors = new Map<string, StoredTensor>();
  const unreadable = new Map<string, UnreadableTensor>();
  for (const { file, tensors: stored, unreadable: bad } of files)
    for (const tensor of [...stored, ...bad]) {
      if (tensors.has(tensor.name) || unreadable.has(tensor.name))
        throw new CheckpointError("tensor-duplicate", "is there twice", { file: file.path, tensor: tensor.name });
      if ("parts" in tensor) tensors.set(tensor.name, tensor);
      else unreadable.set(tensor.name, tensor);
    }
  const config = { ...(await architecture.config(model, metadata)), ...specialTokens(metadata) };
  return { config, metadata, unread: unreadKeys(metadata), weights: new StoredWeights(files, tensors, unreadable) };
}

/** Numbers of the tokens that begin and end a text, as config.json has them too. */
function specialTokens(metadata: Metadata): JsonObject {
  const tokens: Record<string, number> = {};
  for (const kind of ["bos", "eos", "pad"]) {
    const id = metadata.number(`tokenizer.ggml.${kind === "pad" ? "padding" : kind}_token_id`);
    if (id !== undefined) tokens[`${kind}_token_id`] = id;
  }
  return tokens;
}
