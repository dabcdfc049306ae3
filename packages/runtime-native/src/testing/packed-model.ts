import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tinyOnnx } from "./tiny-onnx.ts";

/** Rows and columns of the product, enough that threads share it. */
export const ROWS = 512;
export const COLUMNS = 512;

/** Writes a model of one product by a weight in 4 bits, y = x · wᵀ, and gives its file. */
export function packedModel(folder: string, name = "packed", weight = "codes"): string {
  const groups = COLUMNS / 32;
  const codes = Uint8Array.from({ length: (ROWS * COLUMNS) / 2 }, (_, i) => i * 37);
  const scales = new Float32Array(ROWS * groups).fill(1 / 256);
  writeFileSync(join(folder, `${name}.bin`), Buffer.concat([codes, Buffer.from(scales.buffer)]));
  const file = join(folder, `${name}.onnx`);
  const place = { file: `${name}.bin` };
  writeFileSync(
    file,
    tinyOnnx({
      nodes: [
        {
          op: "MatMulNBits",
          domain: "com.microsoft",
          inputs: ["x", weight, "scales"],
          outputs: ["y"],
          ints: { K: COLUMNS, N: ROWS, bits: 4, block_size: 32, accuracy_level: 4 },
        },
      ],
      weights: [
        { ...place, name: weight, type: "u8", shape: [ROWS, groups, 16], offset: 0 },
        { ...place, name: "scales", shape: [ROWS, groups], offset: codes.length },
      ],
      inputs: [{ name: "x", type: "f32", shape: ["n", COLUMNS] }],
      outputs: [{ name: "y", type: "f32", shape: ["n", ROWS] }],
    }),
  );
  return file;
}
