import { open } from "node:fs/promises";
import { TargetError } from "@llm/target";
import type { Bmodel } from "./bmodel.ts";
import { Damaged } from "./flatbuffer.ts";
import { parseModel, undate } from "./parse-model.ts";

const MAGIC = 0xff55aaee;
const HEADER_BYTES = 64;

/** The description of a model of 80 nets takes 2 MB; this is what a damaged size may make us read. */
const MOST_DESCRIPTION_BYTES = 1 << 30;

/** Whether these are the first bytes of a .bmodel. */
export function isBmodel(start: Uint8Array): boolean {
  return start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === MAGIC;
}

/** Says what a .bmodel holds. Weights and instructions are not read, however large. */
export async function readBmodel(file: string): Promise<Bmodel> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    throw new TargetError("artefact-missing", `${file}: ${error.code === "ENOENT" ? "does not exist" : error.message}`);
  });
  try {
    const { size } = await handle.stat();
    const header = await readAt(handle, 0, Math.min(HEADER_BYTES, size));
    const { descriptionBytes } = parseHeader(header, size);
    return parseModel(await readAt(handle, HEADER_BYTES, descriptionBytes), size);
  } catch (error) {
    if (!TargetError.isInstance(error)) throw error;
    throw new TargetError(error.code, `${file}: ${error.message}`, { cause: error });
  } finally {
    await handle.close();
  }
}

/**
 * Takes out the time of day that the vendor's program writes into what it makes, so that the same model is the same bytes
 * whenever and wherever it is compiled.
 */
export async function undateBmodel(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const { size } = await handle.stat();
    const { descriptionBytes } = parseHeader(await readAt(handle, 0, HEADER_BYTES), size);
    const description = await readAt(handle, HEADER_BYTES, descriptionBytes);
    undate(description);
    await handle.write(description, 0, descriptionBytes, HEADER_BYTES);
  } finally {
    await handle.close();
  }
}

/** The same of bytes in memory. */
export function parseBmodel(bytes: Uint8Array): Bmodel {
  const { descriptionBytes } = parseHeader(bytes.subarray(0, HEADER_BYTES), bytes.length);
  return parseModel(bytes.subarray(HEADER_BYTES, HEADER_BYTES + descriptionBytes), bytes.length);
}

async function readAt(handle: Awaited<ReturnType<typeof open>>, at: number, bytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, at);
  if (bytesRead < bytes) throw new Damaged("it ends too early");
  return buffer;
}

/** Magic, own size, size of the description, size of weights and instructions after it; the rest is reserved. */
function parseHeader(header: Uint8Array, fileBytes: number): { readonly descriptionBytes: number } {
  if (!isBmodel(header)) throw new TargetError("artefact-invalid", "this is no bmodel");
  if (header.length < HEADER_BYTES) throw new Damaged("it ends too early");
  const view = new DataView(header.buffer, header.byteOffset);
  const headerBytes = view.getUint32(4, true);
  if (headerBytes !== HEADER_BYTES)
    throw new TargetError("artefact-newer", `its header has ${headerBytes} bytes: it is of a newer format; update llm`);
  const descriptionBytes = view.getUint32(8, true);
  const binaryBytes = Number(view.getBigUint64(12, true));
  if (descriptionBytes > MOST_DESCRIPTION_BYTES) throw new Damaged(`a description of ${descriptionBytes} bytes`);
  const expected = HEADER_BYTES + descriptionBytes + binaryBytes;
  if (fileBytes < expected) throw new Damaged(`it has ${fileBytes} of its ${expected} bytes; copy it again`);
  return { descriptionBytes };
}
