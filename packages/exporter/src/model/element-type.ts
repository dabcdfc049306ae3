import type { DType } from "@llm/tensor";
import { ExportError } from "../error.ts";
import { TensorProto_DataType } from "../gen/onnx_pb.ts";

/** ONNX's element type of each of our dtypes. */
export const ELEMENT_TYPES: Readonly<Record<DType, TensorProto_DataType>> = {
  f32: TensorProto_DataType.FLOAT,
  f16: TensorProto_DataType.FLOAT16,
  bf16: TensorProto_DataType.BFLOAT16,
  f64: TensorProto_DataType.DOUBLE,
  i64: TensorProto_DataType.INT64,
  i32: TensorProto_DataType.INT32,
  i16: TensorProto_DataType.INT16,
  i8: TensorProto_DataType.INT8,
  u32: TensorProto_DataType.UINT32,
  u16: TensorProto_DataType.UINT16,
  u8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
};

const DTYPES_BY_ELEMENT: ReadonlyMap<number, DType> = new Map(
  Object.entries(ELEMENT_TYPES).map(([dtype, element]) => [element, dtype as DType]),
);

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TensorProto_DataType).map(([name, element]) => [element, name.toLowerCase()]),
);

/** Our dtype for an ONNX element type; undefined for those a graph of ours can't hold (strings, 4-bit, …). */
export function dtypeOf(element: number): DType | undefined {
  return DTYPES_BY_ELEMENT.get(element);
}

/** ONNX's element type, or an error that names the value. */
export function elementTypeOf(dtype: DType, what: string): TensorProto_DataType {
  const element = ELEMENT_TYPES[dtype];
  if (element === undefined)
    throw new ExportError("unsupported-dtype", `${what} is ${String(dtype)}, which ONNX has no element type for`);
  return element;
}

/** An element type's name for people: "float16". */
export function elementName(element: number): string {
  return NAMES.get(element) ?? `type ${element}`;
}
