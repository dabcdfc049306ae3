import { DTYPES, type DType, sizeOf, type Tensor, tensor } from "@llm/tensor";
import { ToolchainError } from "./error.ts";

const MAGIC = "\x93NUMPY";
/** A header is a short dict; numpy itself writes 128 bytes for anything of few dimensions. */
const MAX_HEADER = 65_536;

/** numpy's names for the types that dumps are made of, little-endian. */
const TYPES: Readonly<Record<string, DType>> = { "<f4": "f32", "<f2": "f16", "<f8": "f64", "<i8": "i64", "<i4": "i32" };

/** Reads one array in numpy's own file format; anything but a plain, C-ordered array is refused. */
export function readNpy(bytes: Uint8Array, file: string): Tensor {
  const refuse = (why: string) => new ToolchainError("input-invalid", `${file}: ${why}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== MAGIC)
    throw refuse("is no .npy file");
  const wide = bytes[6] > 1; // version 1 has a short length, later ones a long
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + length;
  if (length > MAX_HEADER || start > bytes.length)
    throw refuse(`its header of ${length} bytes is longer than the file or the limit`);
  const header = Buffer.from(bytes.subarray(wide ? 12 : 10, start)).toString("latin1");
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const dims = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const dtype = TYPES[descr ?? ""];
  if (dtype === undefined || dims === undefined)
    throw refuse(`holds ${descr ?? "something unknown"}; floats and whole numbers can be read`);
  if (/'fortran_order':\s*True/.test(header))
    throw refuse("is in Fortran's order; save it with numpy.ascontiguousarray");
  const shape = dims
    .split(",")
    .map((text) => text.trim())
    .filter(Boolean)
    .map(Number);
  const { array, bytes: width } = DTYPES[dtype];
  const size = sizeOf(shape) * width;
  if (bytes.length - start !== size)
    throw refuse(`has ${bytes.length - start} bytes of data, its shape [${shape.join(", ")}] needs ${size}`);
  return tensor(dtype, shape, new array(Uint8Array.from(bytes.subarray(start)).buffer));
}
