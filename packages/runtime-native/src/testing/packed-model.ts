import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tinyOnnx } from "./tiny-onnx.ts";

/** Rows and columns of the product, enough that threads share it. */
export const ROWS = 512;
export const COLUMNS = 512;

export interface PackedModelOptions {
  readonly name?: string;
  /** What the weight is called. */
  readonly weight?: string;
  readonly bits?: 4 | 8;
  readonly rows?: number;
  readonly columns?: number;
  readonly bias?: boolean;
}

/** Writes a model of one product by a packed weight, y = x · wᵀ, and gives its file. */
export function packedModel(folder: string, options: PackedModelOptions = {}): string {
  const { name = "packed", weight = "codes", bits = 4, rows = ROWS, columns = COLUMNS, bias = false } = options;
  const groups = Math.ceil(columns / 32);
  const codes = Uint8Array.from({ length: rows * groups * 4 * bits }, (_, i) => i * 37);
  const scales = new Float32Array(rows * groups).fill(1 / 256);
  const added = new Float32Array(rows).fill(1);
  writeFileSync(
    join(folder, `${name}.bin`),
    Buffer.concat([codes, ...[scales, added].map((part) => new Uint8Array(part.buffer))]),
  );
  const file = join(folder, `${name}.onnx`);
  const place = { file: `${name}.bin` };
  writeFileSync(
    file,
    tinyOnnx({
      nodes: [
        {
          op: "MatMulNBits",
          domain: "com.microsoft",
          inputs: ["x", weight, "scales", "", "", bias ? "bias" : ""],
          outputs: ["y"],
          ints: { K: columns, N: rows, bits, block_size: 32, accuracy_level: 4 },
        },
      ],
      weights: [
        { ...place, name: weight, type: "u8", shape: [rows, groups, 4 * bits], offset: 0 },
        { ...place, name: "scales", shape: [rows, groups], offset: codes.length },
        ...(bias ? [{ ...place, name: "bias", shape: [rows], offset: codes.length + scales.byteLength }] : []),
      ],
      inputs: [{ name: "x", type: "f32", shape: ["n", columns] }],
      outputs: [{ name: "y", type: "f32", shape: ["n", rows] }],
    }),
  );
  return file;
}
