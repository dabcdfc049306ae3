import type { DType, StoredTensor } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { MAX_EXPANDED_ELEMENTS, MAX_TENSORS } from "../limits.ts";
import type { UnreadableTensor } from "../stored-weights.ts";
import { isTensorRef, PyDict, type TensorRef } from "./pickle-values.ts";

const READABLE: Readonly<Record<string, DType>> = {
  float32: "f32",
  float64: "f64",
  float16: "f16",
  bfloat16: "bf16",
  int64: "i64",
  int32: "i32",
  int16: "i16",
  int8: "i8",
  uint8: "u8",
  uint16: "u16",
  uint32: "u32",
  bool: "bool",
};

/** Where the bytes of a storage are. */
export interface StoragePlace {
  readonly offset: number;
  readonly size: number;
}

/** Keys under which training programs put the state dict when they save more than that. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "module"];

/** The tensors of an unpickled state dict, each checked to lie inside its storage. */
export function stateDictTensors(
  file: BinaryFile,
  value: unknown,
  place: (key: string) => StoragePlace | undefined,
): { tensors: StoredTensor[]; unreadable: UnreadableTensor[] } {
  const tensors: StoredTensor[] = [];
  const unreadable: UnreadableTensor[] = [];
  for (const [name, ref] of tensorRefs(file, value)) {
    const dtype = READABLE[ref.dtype.name];
    if (dtype !== undefined) tensors.push(storedTensor(file, name, ref, dtype, place));
    else {
      const reason = `dtype ${ref.dtype.name} is not one that can be read`;
      const bytes = ref.shape.reduce((product, dim) => product * dim, ref.dtype.bytes);
      unreadable.push({ name, shape: ref.shape, dtype: ref.dtype.name, bytes, file: file.path, reason });
    }
  }
  if (tensors.length > MAX_TENSORS)
    throw new CheckpointError("limit-exceeded", `has ${tensors.length} tensors, more than ${MAX_TENSORS}`, {
      file: file.path,
    });
  return { tensors, unreadable };
}

function tensorRefs(file: BinaryFile, value: unknown): [string, TensorRef][] {
  if (value instanceof PyDict) {
    const direct = tensorItems(value);
    if (direct.length > 0) return direct;
    for (const key of WRAPPERS) {
      const inner = value.items.get(key);
      if (inner instanceof PyDict && tensorItems(inner).length > 0) return tensorItems(inner);
    }
  }
  throw new CheckpointError("file-invalid", "holds no state dict: a dict with a tensor for each name", {
    file: file.path,
  });
}

function tensorItems(dict: PyDict): [string, TensorRef][] {
  const items: [string, TensorRef][] = [];
  for (const [name, value] of dict.items) if (typeof name === "string" && isTensorRef(value)) items.push([name, value]);
  return items;
}

function storedTensor(
  file: BinaryFile,
  name: string,
  ref: TensorRef,
  dtype: DType,
  place: (key: string) => StoragePlace | undefined,
): StoredTensor {
  const bad = (reason: string) => new CheckpointError("tensor-invalid", reason, { file: file.path, tensor: name });
  const { shape, strides, storage } = ref;
  const { bytes } = ref.dtype;
  const where = place(storage.key);
  if (!where) throw bad(`its storage ${JSON.stringify(storage.key)} is not in the file`);

  const elements = shape.reduce((product, dim) => product * dim, 1);
  const extent = elements === 0 ? 0 : shape.reduce((last, dim, i) => last + (dim - 1) * strides[i]!, 1);
  // An untyped storage counts bytes, and so does what starts inside one.
  const unit = storage.dtype === undefined ? 1 : bytes;
  const begin = storage.start * unit + ref.offset * bytes;
  const available = Math.min(where.size, (storage.start + storage.elements) * unit);
  if (storage.elements * unit > where.size)
    throw bad(`its storage should have ${storage.elements * unit} bytes, but has ${where.size}`);
  if (!Number.isSafeInteger(elements) || !(begin + extent * bytes <= available))
    throw bad(
      `shape [${shape.join(", ")}] with strides [${strides.join(", ")}] reaches past its storage of ${available} bytes`,
    );
  if (elements > extent && elements > MAX_EXPANDED_ELEMENTS)
    throw bad(`it repeats ${extent} stored elements to ${elements}, more than ${MAX_EXPANDED_ELEMENTS}`);

  const data = { file: file.realPath, offset: where.offset + begin, length: extent * bytes };
  const stored = { name, shape, format: dtype, parts: { data } };
  return isContiguous(shape, strides) ? stored : { ...stored, strides };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 0) return true;
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
