import type { StoredTensor } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import type { UnreadableTensor, WeightFile } from "../stored-weights.ts";
import type { GgufArchitecture, ModelShape } from "./architecture.ts";
import { GGML_TYPES, type GgufHeader, type GgufTensor } from "./types.ts";

/** What only says the config once more: rotary factors, which became `rope_scaling`. */
const SAID_IN_CONFIG = /^(rope_freqs|rope_factors_long|rope_factors_short|blk\.\d+\.attn_rot_embd)\.weight$/;

/** One file's tensors under their published names, with what conversion did to them to be undone. */
export function publishedTensors(
  file: BinaryFile,
  header: GgufHeader,
  architecture: GgufArchitecture,
  model: ModelShape,
): WeightFile {
  const changes = architecture.changes?.(model) ?? {};
  const tensors: StoredTensor[] = [];
  const unreadable: UnreadableTensor[] = [];
  for (const tensor of header.tensors) {
    if (SAID_IN_CONFIG.test(tensor.name)) continue;
    const { key, name } = published(tensor.name, architecture);
    const { format, name: type } = GGML_TYPES.get(tensor.type)!;
    if (format === undefined) {
      const reason = `it is ${type}, which can't be read (Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS and MXFP4 can)`;
      unreadable.push({ name, shape: tensor.shape, dtype: type, bytes: tensor.length, file: file.path, reason });
      continue;
    }
    const data = { file: file.realPath, offset: tensor.offset, length: tensor.length };
    const stored: StoredTensor = { name, shape: tensor.shape, format, parts: { data } };
    const change = Object.hasOwn(changes, key) ? changes[key] : undefined;
    tensors.push(...(change ? checked(file, tensor, change(stored)) : [stored]));
  }
  return { file, tensors, unreadable, headerHash: header.hash };
}

/** The published name, and GGUF's with the block's and the expert's number left open. A name that isn't in the table stays as it is. */
function published(name: string, { names }: GgufArchitecture): { key: string; name: string } {
  const [, base = name, ending = ""] = /^(.*)(\.weight|\.bias)$/.exec(name) ?? [];
  const [, number] = /^blk\.(\d+)\./.exec(base) ?? [];
  const inBlock = number === undefined ? base : base.replace(`blk.${number}.`, "blk.{n}.");
  const [, expert] = /\.(\d+)$/.exec(inBlock) ?? [];
  const key = expert === undefined ? inBlock : inBlock.replace(/\d+$/, "{e}");
  const target = Object.hasOwn(names, key) ? names[key] : undefined;
  if (target === undefined) return { key, name };
  const numbered = expert === undefined ? target : target.replace("{e}", expert);
  return { key, name: numbered.replace("{n}", number ?? "") + ending };
}

/** Sizes that don't divide as the metadata says would become fractions of rows. */
function checked(file: BinaryFile, tensor: GgufTensor, changed: readonly StoredTensor[]): readonly StoredTensor[] {
  for (const { rows = [], shape, parts } of changed) {
    const numbers = [...shape, parts.data!.length, ...rows.flatMap((run) => [run.start, ...run.shape, ...run.strides])];
    const count = rows.reduce((sum, run) => sum + run.shape.reduce((a, b) => a * b, 1), 0);
    if (!numbers.every(Number.isInteger) || (rows.length > 0 && count !== shape[0]))
      throw new CheckpointError(
        "tensor-invalid",
        `its shape [${tensor.shape.join(", ")}] doesn't fit the model's heads`,
        {
          file: file.path,
          tensor: tensor.name,
        },
      );
  }
  return changed;
}
