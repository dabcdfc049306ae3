import { readFileSync } from "node:fs";
import { goldenDir } from "@llm/fixtures";
import { DTYPES, type DType, type TypedArray } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

/** The tensors of a golden model's safetensors file. */
export function goldenTensors(model: string): Record<string, Tensor> {
  const file = readFileSync(`${goldenDir(model)}/model.safetensors`);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    file.toString("utf8", 8, start),
  );
  delete header.__metadata__;
  return Object.fromEntries(
    Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
      const type = dtype.toLowerCase() as DType;
      const bytes = Uint8Array.from(file.subarray(start + data_offsets[0], start + data_offsets[1]));
      const data: TypedArray = new DTYPES[type].array(bytes.buffer);
      return [name, { dtype: type, shape, data }];
    }),
  );
}
