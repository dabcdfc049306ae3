import { createHash } from "node:crypto";
import { CheckpointError } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { MAX_PICKLE_BYTES } from "../limits.ts";
import type { WeightFile } from "../stored-weights.ts";
import { readLegacy } from "./legacy.ts";
import { storageRef, TORCH_GLOBALS } from "./pickle-globals.ts";
import { stateDictTensors } from "./state-dict.ts";
import { MalformedPickle, PickleTooShort, RefusedPickle, unpickle } from "./unpickle.ts";
import { readZip } from "./zip.ts";

/** Reads where the tensors of a PyTorch file are: the zip form, or the one before PyTorch 1.6. */
export async function readTorch(file: BinaryFile): Promise<WeightFile> {
  const start = await file.read(0, Math.min(4, file.size));
  const magic = Buffer.from(start).toString("latin1");
  try {
    if (magic === "PK\x03\x04") return await readZipForm(file);
    // A pickle of any protocol that PyTorch can be told to write.
    if (start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5) return await readLegacy(file);
  } catch (error) {
    throw asCheckpointError(file, error);
  }
  throw new CheckpointError("file-invalid", "is neither of the two forms that PyTorch saves weights in", {
    file: file.path,
  });
}

async function readZipForm(file: BinaryFile): Promise<WeightFile> {
  const entries = await readZip(file);
  const pickle = [...entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new CheckpointError("file-invalid", "is a zip file, but holds no data.pkl", { file: file.path });
  const folder = pickle.name.slice(0, pickle.name.indexOf("/"));
  if (entries.has(`${folder}/constants.pkl`))
    throw new CheckpointError("file-invalid", "is a TorchScript program, not a state dict", { file: file.path });
  const packed = [...entries.values()].find(({ plain }) => !plain);
  if (packed)
    throw new CheckpointError(
      "file-invalid",
      `its entry ${JSON.stringify(packed.name)} is compressed; PyTorch stores them plain`,
      { file: file.path },
    );
  if (pickle.size > MAX_PICKLE_BYTES)
    throw new CheckpointError("limit-exceeded", `its pickle has ${pickle.size} bytes, more than ${MAX_PICKLE_BYTES}`, {
      file: file.path,
    });
  const order = entries.get(`${folder}/byteorder`);
  if (order && order.size <= 16 && Buffer.from(await file.read(order.offset, order.size)).toString() === "big")
    throw new CheckpointError("file-invalid", "was saved on a big-endian machine", { file: file.path });

  const bytes = await file.read(pickle.offset, pickle.size);
  const { value } = unpickle(bytes, 0, { globals: TORCH_GLOBALS, persistent: storageRef });
  const tensors = stateDictTensors(file, value, (key) => entries.get(`${folder}/data/${key}`));
  const hash = createHash("sha256").update(bytes);
  for (const { name, offset, size } of entries.values()) hash.update(`${name} ${offset} ${size}\n`);
  return { file, ...tensors, headerHash: hash.digest("hex") };
}

function asCheckpointError(file: BinaryFile, error: unknown): unknown {
  const details = { file: file.path, cause: error };
  if (error instanceof RefusedPickle) return new CheckpointError("pickle-refused", error.message, details);
  if (error instanceof PickleTooShort)
    return new CheckpointError("file-truncated", `its pickle is cut off: ${error.message}`, details);
  if (error instanceof MalformedPickle)
    return new CheckpointError("file-invalid", `its pickle makes no sense: ${error.message}`, details);
  return error;
}
