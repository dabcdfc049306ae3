import { MAX_RANK } from "../limits.ts";
import {
  isStorageRef,
  isTensorRef,
  PyDict,
  PyFunction,
  type PyGlobal,
  type StorageRef,
  StorageType,
  type TensorRef,
  TorchDType,
} from "./pickle-values.ts";
import { MalformedPickle } from "./unpickle.ts";

/** Torch's dtypes: bytes an element, and the name of the storage class of those that have one. */
const DTYPES: readonly (readonly [name: string, bytes: number, storage?: string])[] = [
  ["float32", 4, "Float"],
  ["float64", 8, "Double"],
  ["float16", 2, "Half"],
  ["bfloat16", 2, "BFloat16"],
  ["int64", 8, "Long"],
  ["int32", 4, "Int"],
  ["int16", 2, "Short"],
  ["int8", 1, "Char"],
  ["uint8", 1, "Byte"],
  ["bool", 1, "Bool"],
  ["complex64", 8, "ComplexFloat"],
  ["complex128", 16, "ComplexDouble"],
  ["uint16", 2],
  ["uint32", 4],
  ["uint64", 8],
  ["float8_e4m3fn", 1],
  ["float8_e5m2", 1],
  ["float8_e4m3fnuz", 1],
  ["float8_e5m2fnuz", 1],
];

function* globals(): Iterable<[string, PyGlobal]> {
  for (const [name, bytes, storage] of DTYPES) {
    const type = new TorchDType(name, bytes);
    yield [`torch.${name}`, type];
    if (storage !== undefined) yield [`torch.${storage}Storage`, new StorageType(type)];
  }
  const untyped = new StorageType(undefined);
  yield ["torch.storage.UntypedStorage", untyped];
  yield ["torch.UntypedStorage", untyped];
  for (const [name, call] of Object.entries(FUNCTIONS)) yield [name, new PyFunction(name, call)];
}

const FUNCTIONS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  "collections.OrderedDict": ([items]) => orderedDict(items),
  "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) => rebuild(storage, offset, shape, strides),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides]) => rebuild(storage, offset, shape, strides),
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , dtype]) =>
    rebuild(storage, offset, shape, strides, dtype),
  "torch._utils._rebuild_parameter": ([data]) => tensorOnly(data),
  "torch._utils._rebuild_parameter_with_state": ([data]) => tensorOnly(data),
  "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => {
    if (!(rebuild instanceof PyFunction) || !rebuild.name.startsWith("torch._utils.") || !Array.isArray(args))
      throw new MalformedPickle("_rebuild_from_type_v2 doesn't name a way to build a tensor");
    return tensorOnly(rebuild.call(args));
  },
  // Classes that are only named, as the type of what is rebuilt, or that are plain tuples.
  "torch.Tensor": () => refuse("torch.Tensor"),
  "torch.nn.parameter.Parameter": () => refuse("torch.nn.parameter.Parameter"),
  "torch.Size": ([sizes]) => sizes,
  "torch.device": ([name]) => name,
};

/**
 * Every global name that a pickle of tensors needs, and what it means here. There is no way from a name in a file to any other
 * code: this table is all there is.
 */
export const TORCH_GLOBALS: ReadonlyMap<string, PyGlobal> = new Map(globals());

function refuse(name: string): never {
  throw new MalformedPickle(`it calls ${name}, which is never called in a state dict`);
}

function orderedDict(items: unknown): PyDict {
  const dict = new PyDict();
  if (items === undefined) return dict;
  if (!Array.isArray(items)) throw new MalformedPickle("an OrderedDict is made of something that isn't a list");
  for (const item of items) {
    if (!Array.isArray(item) || item.length !== 2) throw new MalformedPickle("an OrderedDict's item isn't a pair");
    dict.items.set(item[0], item[1]);
  }
  return dict;
}

function tensorOnly(value: unknown): TensorRef {
  if (!isTensorRef(value)) throw new MalformedPickle("a parameter is made of something that isn't a tensor");
  return value;
}

function rebuild(storage: unknown, offset: unknown, shape: unknown, strides: unknown, dtype?: unknown): TensorRef {
  if (!isStorageRef(storage)) throw new MalformedPickle("a tensor is made of something that isn't a storage");
  const type = storage.dtype ?? dtype;
  if (!(type instanceof TorchDType)) throw new MalformedPickle("a tensor has no dtype");
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length)
    throw new MalformedPickle("a tensor's offset, size or strides make no sense");
  return { kind: "tensor", storage, dtype: type, offset, shape, strides };
}

/** The persistent id of a storage: `("storage", type, key, location, elements, view?)`. */
export function storageRef(id: unknown): StorageRef {
  if (!Array.isArray(id) || id[0] !== "storage")
    throw new MalformedPickle("it refers to something outside that isn't a storage");
  const [, type, key, , elements, view] = id;
  if (!(type instanceof StorageType) || typeof key !== "string" || !isCount(elements))
    throw new MalformedPickle("a storage's description makes no sense");
  if (view === undefined || view === null) return { kind: "storage", key, dtype: type.dtype, elements, start: 0 };
  // (key of the view, offset, size): the storage starts there in the one that is stored.
  if (!Array.isArray(view) || !isCount(view[1]) || !isCount(view[2]))
    throw new MalformedPickle("a storage's view makes no sense");
  return { kind: "storage", key, dtype: type.dtype, elements: view[2], start: view[1] };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= MAX_RANK && value.every(isCount);
}
