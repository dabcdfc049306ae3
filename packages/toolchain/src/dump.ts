import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { openTensorFile } from "@llm/checkpoint";
import { convert, read, type Tensor } from "@llm/tensor";
import { ToolchainError } from "./error.ts";
import { readNpy } from "./npy.ts";

/** What another implementation computed, block by block. */
export interface Dump {
  /** The tokens it was given, where the dump says. */
  readonly ids?: Int32Array;
  /** hidden[0] enters the first block, hidden[i] leaves block i − 1; those that are missing are undefined. */
  readonly hidden: readonly (Float32Array | undefined)[];
  readonly logits?: Float32Array; // (tokens, vocab)
}

/**
 * Reads tensors that another implementation dumped, for `verify --against`: `hidden.0` …, `logits` and `ids`, in one safetensors
 * file or as `.npy` files of those names in a folder.
 */
export async function readDump(path: string): Promise<Dump> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new ToolchainError("input-invalid", `${path}: there is no such file or folder`);
  const arrays = found.isDirectory() ? await fromFolder(path) : await fromSafetensors(path);
  const hidden: (Float32Array | undefined)[] = [];
  for (const [name, array] of arrays) {
    const index = /^hidden\.(\d{1,4})$/.exec(name)?.[1];
    if (index !== undefined) hidden[Number(index)] = floats(array);
  }
  const ids = arrays.get("ids");
  const logits = arrays.get("logits");
  if (hidden.length === 0 && !logits)
    throw new ToolchainError(
      "input-invalid",
      `${path}: holds neither hidden.0 … nor logits; it has ${[...arrays.keys()].slice(0, 5).join(", ") || "nothing"}`,
    );
  return {
    hidden,
    ...(ids ? { ids: Int32Array.from(ids.data as Int32Array, Number) } : {}),
    ...(logits ? { logits: floats(logits) } : {}),
  };
}

async function fromSafetensors(path: string): Promise<Map<string, Tensor>> {
  const tensors = await openTensorFile(path);
  try {
    const arrays = new Map<string, Tensor>();
    for (const name of tensors.names()) {
      const { shape, format } = tensors.get(name)!;
      const dtype = format === "i32" || format === "i64" ? format : "f32";
      arrays.set(name, await read({ op: "tensor", name, shape }, tensors, dtype));
    }
    return arrays;
  } finally {
    await tensors.close();
  }
}

async function fromFolder(path: string): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  for (const file of await readdir(path))
    if (file.endsWith(".npy"))
      arrays.set(file.slice(0, -4), readNpy(await readFile(join(path, file)), join(path, file)));
    else if (file.endsWith(".safetensors"))
      for (const [name, array] of await fromSafetensors(join(path, file))) arrays.set(name, array);
  return arrays;
}

function floats(array: Tensor): Float32Array {
  return convert(array, "f32").data as Float32Array;
}
