import { convertData } from "../convert.ts";
import { DTYPES, type DType } from "../dtype.ts";
import { TensorError } from "../error.ts";
import { type LinearLayout, type LinearWords, unpackColumns, unpackLinear } from "../formats/linear-words.ts";
import type { StoredTensor, WeightSource } from "../source.ts";
import { plainReader } from "./flat-reader.ts";
import type { Loader } from "./loader.ts";
import { wholeRegion } from "./region.ts";
import { stridedLoader } from "./strided.ts";

/** Boxes of a GPTQ or AWQ weight [out, in], dequantised: scale · (value − zero). */
export function packedLinearLoader(stored: StoredTensor, layout: LinearLayout, source: WeightSource): Loader {
  const [outputs, inputs] = stored.shape as [number, number];
  const { bits, groupSize, groups, zeroOffset = 0, scales: scaleType } = numbersOf(stored);
  const perWord = 32 / bits;
  const byInput = layout.packed === "inputs";
  const loader = (part: string, shape: readonly number[], dtype: DType) =>
    partLoader(stored, part, shape, dtype, source);
  const words = loader("qweight", byInput ? [inputs / perWord, outputs] : [inputs, outputs / perWord], "u32");
  const zeroWords = loader("qzeros", [groups, outputs / perWord], "u32");
  const scales = loader("scales", [groups, outputs], scaleType);
  const index = stored.parts.g_idx && loader("g_idx", [inputs], "i32");
  let groupOf: Promise<Int32Array> | undefined;
  const readGroups = async () => {
    const all = index
      ? ((await index.load(wholeRegion([inputs]), "i32")) as Int32Array)
      : Int32Array.from({ length: inputs }, (_, input) => Math.floor(input / groupSize));
    const bad = all.findIndex((group) => group < 0 || group >= groups);
    if (bad >= 0)
      throw new TensorError("stored-invalid", `${stored.name}: input ${bad} is of group ${all[bad]}, of ${groups}`);
    return all;
  };
  return {
    shape: stored.shape,
    dtype: "f32",
    scattered: true,
    load: async ({ start, size }, dtype) => {
      const [o, i] = start as [number, number];
      const [rows, columns] = size as [number, number];
      groupOf ??= readGroups();
      const group = (await groupOf).subarray(i, i + columns);
      const firstGroup = group.reduce((a, b) => Math.min(a, b), groups - 1);
      const someGroups = group.reduce((a, b) => Math.max(a, b), 0) + 1 - firstGroup;
      const wordsFrom = (from: number) => Math.floor(from / perWord);
      const wordCount = (from: number, count: number) => Math.ceil((from + count) / perWord) - wordsFrom(from);
      const [packed, zeroes, scale] = await Promise.all([
        byInput
          ? words.load({ start: [wordsFrom(i), o], size: [wordCount(i, columns), rows] }, "u32")
          : words.load({ start: [i, wordsFrom(o)], size: [columns, wordCount(o, rows)] }, "u32"),
        zeroWords.load({ start: [firstGroup, wordsFrom(o)], size: [someGroups, wordCount(o, rows)] }, "u32"),
        scales.load({ start: [firstGroup, o], size: [someGroups, rows] }, "f32"),
      ]);
      const skippedOutputs = o % perWord;
      const zeroBox = { rows: someGroups, from: skippedOutputs, count: rows };
      const zeros = unpackColumns(zeroes as Uint32Array, zeroBox, bits, layout);
      const box: LinearWords = {
        bits,
        outputs: rows,
        inputs: columns,
        words: packed as Uint32Array,
        skipped: byInput ? i % perWord : skippedOutputs,
        scales: scale as Float32Array,
        zeros: Float32Array.from(zeros, (zero) => zero + zeroOffset),
        groupOf: group.map((g) => g - firstGroup),
      };
      return convertData(unpackLinear(box, layout), "f32", dtype);
    },
  };
}

interface LinearNumbers {
  readonly bits: number;
  readonly groupSize: number;
  readonly groups: number;
  readonly zeroOffset?: number;
  readonly scales: DType;
}

function numbersOf({ name, format, shape, params }: StoredTensor): LinearNumbers {
  const { bits, groupSize, groups, scales } = (params ?? {}) as Partial<LinearNumbers>;
  const whole = [bits, groupSize, groups].every((n) => typeof n === "number" && Number.isInteger(n) && n > 0);
  if (!whole || ![2, 4, 8].includes(bits!) || !Object.hasOwn(DTYPES, String(scales)) || shape.length !== 2)
    throw new TensorError(
      "stored-invalid",
      `${name}: a tensor of ${format} without its bits, groups and scales' dtype`,
    );
  return params as unknown as LinearNumbers;
}

/** One of the published tensors as a plain one. */
function partLoader(
  stored: StoredTensor,
  part: string,
  shape: readonly number[],
  dtype: DType,
  source: WeightSource,
): Loader {
  const data = stored.parts[part];
  if (!data) throw new TensorError("stored-invalid", `${stored.name}: a tensor of ${stored.format} without ${part}`);
  const plain: StoredTensor = { name: `${stored.name} (${part})`, shape, format: dtype, parts: { data } };
  return stridedLoader(plain, plainReader(plain, dtype, source));
}
