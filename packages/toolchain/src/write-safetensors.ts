import { open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import { ToolchainError } from "./error.ts";

/** A float32 tensor to be written. */
export interface NamedFloats {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Writes a safetensors file of float32 tensors; it has its name only when it is whole. */
export async function writeSafetensors(path: string, tensors: readonly NamedFloats[]): Promise<void> {
  const file = resolve(path);
  const part = `${file}.${process.pid}.part`;
  try {
    await makeFolder(dirname(file));
    const handle = await open(part, "w");
    try {
      await handle.write(header(tensors));
      for (const { data } of tensors) await handle.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw new ToolchainError("write-failed", `${file}: could not be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Length, then JSON padded with spaces to a multiple of eight, as the format's own writer does. */
function header(tensors: readonly NamedFloats[]): Uint8Array {
  const entries: Record<string, unknown> = {};
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    entries[name] = { dtype: "F32", shape, data_offsets: [offset, (offset += data.byteLength)] };
  }
  const json = Buffer.from(JSON.stringify(entries), "utf8");
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + length, " ");
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}
