import { availableParallelism } from "node:os";
import { join } from "node:path";
import { NativeError } from "@llm/runtime-native";
import { type OrtOptions, type OrtSession, openOrt } from "@llm/runtime-native/ort";
import { type Artefact, TargetError } from "@llm/target";
import { modelFile } from "./build/units.ts";
import type { CpuOptions } from "./options.ts";
import { CHUNK, NET } from "./pipeline.ts";
import { CpuSession } from "./session/cpu-session.ts";

/** Opens a session over an artefact's model. */
export async function openCpu({ folder, manifest }: Artefact, options: CpuOptions): Promise<CpuSession> {
  const { context: most, width } = manifest.model;
  const context = options.ctxLen === 0 ? most : options.ctxLen;
  if (context > most)
    throw new TargetError("option-invalid", `--ctx-len ${context}: this model takes at most ${most} tokens`);
  const model = await openModel(join(folder, modelFile(NET)), options.threads);
  return new CpuSession(model, width, { slots: options.batchSize, context, chunk: Math.min(CHUNK, context) });
}

/** Loads a net's model; what is wrong is said in the target's terms. */
export async function openModel(
  file: string,
  threads = 0,
  options: Pick<OrtOptions, "backend"> = {},
): Promise<OrtSession> {
  try {
    return await openOrt(file, { ...options, threads: threads === 0 ? availableParallelism() : threads });
  } catch (cause) {
    if (!NativeError.isInstance(cause)) throw cause;
    const { code, message } = cause;
    if (code === "runtime-missing" || code === "runtime-version")
      throw new TargetError("tool-missing", message, { cause });
    throw new TargetError("artefact-damaged", `${message}; build the artefact again`, { cause });
  }
}
