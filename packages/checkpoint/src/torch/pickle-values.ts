/** A Python dict. Keys keep their kind: in Python, too, "1" and 1 are two keys. */
export class PyDict {
  readonly items: Map<unknown, unknown> = new Map();
}

/** What an allow-listed global name stands for: a function of ours, or a constant. */
export type PyGlobal = PyFunction | StorageType | TorchDType;

export class PyFunction {
  readonly name: string;
  readonly call: (args: readonly unknown[]) => unknown;

  constructor(name: string, call: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}

/** `torch.float32` and so on, by torch's own name. */
export class TorchDType {
  readonly name: string;
  readonly bytes: number; // an element

  constructor(name: string, bytes: number) {
    this.name = name;
    this.bytes = bytes;
  }
}

/** `torch.FloatStorage` and so on; undefined: bytes whose dtype the tensor says. */
export class StorageType {
  readonly dtype: TorchDType | undefined;

  constructor(dtype: TorchDType | undefined) {
    this.dtype = dtype;
  }
}

/** A piece of raw memory that tensors are views of. */
export interface StorageRef {
  readonly kind: "storage";
  readonly key: string;
  readonly dtype: TorchDType | undefined;
  readonly elements: number; // bytes for an untyped one
  /** Where it starts in the storage of that key, in elements: legacy files have storages that are views of another. */
  readonly start: number;
}

/** A tensor as the pickle describes it; not yet checked against its storage. */
export interface TensorRef {
  readonly kind: "tensor";
  readonly storage: StorageRef;
  readonly dtype: TorchDType;
  readonly offset: number; // elements
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export function isTensorRef(value: unknown): value is TensorRef {
  return typeof value === "object" && value !== null && (value as TensorRef).kind === "tensor";
}

export function isStorageRef(value: unknown): value is StorageRef {
  return typeof value === "object" && value !== null && (value as StorageRef).kind === "storage";
}
