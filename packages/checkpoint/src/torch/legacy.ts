import { createHash } from "node:crypto";
import { CheckpointError } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { MAX_PICKLE_BYTES } from "../limits.ts";
import type { WeightFile } from "../stored-weights.ts";
import { storageRef, TORCH_GLOBALS } from "./pickle-globals.ts";
import { PyDict, type StorageRef } from "./pickle-values.ts";
import { type StoragePlace, stateDictTensors } from "./state-dict.ts";
import { MalformedPickle, PickleTooShort, unpickle } from "./unpickle.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** Enough for the pickles of most files; if they are longer, twice as much is tried. */
const FIRST_READ = 1024 * 1024;

/**
 * The form before PyTorch 1.6: five pickles one after another (magic number, protocol, machine, state dict, keys of
 * storages), then each storage as its element count and its raw bytes.
 */
export async function readLegacy(file: BinaryFile): Promise<WeightFile> {
  const { bytes, value, keys, elementBytes, end } = await readPickles(file);
  const places = new Map<string, StoragePlace>();
  let at = end;
  for (const key of keys) {
    const size = elementBytes.get(key);
    if (size === undefined) throw new MalformedPickle(`storage ${JSON.stringify(key)} is listed but never used`);
    const count = Buffer.from(await file.read(at, 8)).readBigInt64LE();
    if (count < 0n || count * BigInt(size) > BigInt(file.size - at - 8))
      throw new CheckpointError("file-truncated", `its storage ${JSON.stringify(key)} ends past the end of the file`, {
        file: file.path,
      });
    places.set(key, { offset: at + 8, size: Number(count) * size });
    at += 8 + Number(count) * size;
  }
  const tensors = stateDictTensors(file, value, (key) => places.get(key));
  return { file, ...tensors, headerHash: createHash("sha256").update(bytes.subarray(0, end)).digest("hex") };
}

interface Pickles {
  readonly bytes: Uint8Array;
  readonly value: unknown;
  readonly keys: readonly string[];
  readonly elementBytes: ReadonlyMap<string, number>;
  readonly end: number;
}

async function readPickles(file: BinaryFile): Promise<Pickles> {
  for (let length = FIRST_READ; ; length *= 2) {
    const bytes = await file.read(0, Math.min(length, file.size));
    try {
      return parsePickles(file, bytes);
    } catch (error) {
      if (!(error instanceof PickleTooShort) || length >= file.size) throw error;
      if (length >= MAX_PICKLE_BYTES)
        throw new CheckpointError("limit-exceeded", `its pickle has more than ${MAX_PICKLE_BYTES} bytes`, {
          file: file.path,
        });
    }
  }
}

function parsePickles(file: BinaryFile, bytes: Uint8Array): Pickles {
  const elementBytes = new Map<string, number>();
  const persistent = (id: unknown): StorageRef => {
    const storage = storageRef(id);
    elementBytes.set(storage.key, storage.dtype?.bytes ?? 1);
    return storage;
  };
  let at = 0;
  const next = (): unknown => {
    const { value, end } = unpickle(bytes, at, { globals: TORCH_GLOBALS, persistent });
    at = end;
    return value;
  };
  if (next() !== MAGIC)
    throw new CheckpointError("file-invalid", "is a pickle, but not one that PyTorch saved", { file: file.path });
  const protocol = next();
  if (protocol !== PROTOCOL) throw new MalformedPickle(`its protocol is ${String(protocol)}, not ${PROTOCOL}`);
  const machine = next();
  if (machine instanceof PyDict && machine.items.get("little_endian") === false)
    throw new CheckpointError("file-invalid", "was saved on a big-endian machine", { file: file.path });
  const value = next();
  const keys = next();
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string"))
    throw new MalformedPickle("it has no list of storages");
  return { bytes, value, keys, elementBytes, end: at };
}
