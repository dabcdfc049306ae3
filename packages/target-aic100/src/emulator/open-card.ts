import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { NativeError } from "@llm/runtime-native";
import { openOrt } from "@llm/runtime-native/ort";
import { TargetError } from "@llm/target";
import { EMULATOR_FILE, MODEL_FILE } from "../build/units.ts";
import { EmulatedCard, type EmulatedCardOptions } from "./emulated-card.ts";
import { checkTwin } from "./override-indices.ts";

/** Opens the emulator's file in a folder, once it is sure that it is the model's twin. */
export async function openCard(folder: string, threads: number, options: EmulatedCardOptions): Promise<EmulatedCard> {
  const file = join(folder, EMULATOR_FILE);
  const [model, twin] = await Promise.all([MODEL_FILE, EMULATOR_FILE].map((name) => readWhole(join(folder, name))));
  checkTwin(model!, twin!, file);
  try {
    const cores = availableParallelism();
    const model = await openOrt(file, { threads: threads === 0 ? cores : Math.min(threads, cores) });
    return new EmulatedCard(model, options);
  } catch (cause) {
    if (!NativeError.isInstance(cause)) throw cause;
    const missing = cause.code === "runtime-missing" || cause.code === "runtime-version";
    throw new TargetError(missing ? "tool-missing" : "artefact-damaged", cause.message, { cause });
  }
}

async function readWhole(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TargetError("artefact-damaged", `${file} can't be read; export with --emulate again`, { cause });
  }
}
