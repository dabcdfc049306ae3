import type { Weight } from "@llm/core-ir";
import { ortKernel } from "@llm/runtime-native/ort";
import { DTYPES, leavesOf, partOf, sizeOf, type WeightSource } from "@llm/tensor";
import { tableValueBytes } from "../ort/narrow-tables.ts";
import { sizeOfValue } from "./liveness.ts";

/** Rows that our kernels keep together; the last ones are filled up. */
const PANEL_ROWS = 16;
/** Blocks whose scales, halves, are those of 4 bits: our kernels keep them so. */
const KEPT_AS_HALVES = "q4_0";

/**
 * What a weight takes where it is multiplied by. Our kernels have a scale for each group beside the codes; the runtime's have the
 * group's sum, too. `source` tells how the checkpoint has it, where that is known.
 */
export function weightBytes(
  { value, expr }: Weight,
  isPacked: boolean,
  source: Pick<WeightSource, "get"> | undefined,
  ours: boolean = ortKernel() !== undefined,
): number {
  if (!isPacked || expr.op !== "encode") return sizeOfValue(value, {});
  const [rows, ...columns] = value.type.shape as readonly number[];
  const shape = [ours ? Math.ceil(rows! / PANEL_ROWS) * PANEL_ROWS : rows!, ...columns];
  const bytes = (part: string) => {
    const { dtype, shape: size } = partOf(shape, { ...expr.format, part });
    return sizeOf(size) * DTYPES[dtype].bytes;
  };
  if (!ours) return bytes("data") + 2 * bytes("scales");
  const formats = leavesOf(expr).flatMap(({ name }) => source?.get(name)?.format ?? []);
  const halves =
    expr.format.format === "matmulnbits4" && formats.length > 0 && formats.every((format) => format === KEPT_AS_HALVES);
  return bytes("data") + bytes("scales") / (halves ? 2 : 1);
}

/** What a table that is only looked up in takes of its file. */
export function tableBytes({ value, expr }: Weight, source: Pick<WeightSource, "get"> | undefined): number {
  return (sizeOfValue(value, {}) / DTYPES.f32.bytes) * tableValueBytes(expr, source);
}
