import { existsSync } from "node:fs";
import { NativeError } from "../error.ts";
import { importOrt, NodeOrtSession } from "./node-binding.ts";
import type { OrtOptions, OrtSession } from "./session.ts";

/**
 * Loads an ONNX model; its weights may lie in other files of the same folder.
 *
 * @example
 * const model = await openOrt("model.onnx", { threads: 2 });
 * const { y } = await model.run({ x: ortTensor("f32", [1, 4], new Float32Array([1, 2, 3, 4])) }, { y: null });
 * await model.close();
 */
export async function openOrt(file: string, options: OrtOptions = {}): Promise<OrtSession> {
  if (!existsSync(file)) throw new NativeError("model-missing", "there is no such file", { file });
  return NodeOrtSession.open(file, options);
}

/** ONNX Runtime's version, or a NativeError that says how to install it. */
export async function ortVersion(): Promise<string> {
  const { versions } = (await importOrt()).env;
  return versions.node ?? versions.common;
}
