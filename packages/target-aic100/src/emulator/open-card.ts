import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { NativeError } from "@llm/runtime-native";
import { openOrt } from "@llm/runtime-native/ort";
import { TargetError } from "@llm/target";
import { EMULATOR_FILE, MODEL_FILE, PROGRAM_FILE, type SharedProgram } from "../build/units.ts";
import { type Emulated, EmulatedCard, type EmulatedCardOptions } from "./emulated-card.ts";
import { EmulatedMesh } from "./emulated-mesh.ts";
import { checkTwin, overrideIndices } from "./override-indices.ts";

/** Opens the emulator's files in an artefact's folder, once it is sure that they are the models' twins. */
export async function openCard(folder: string, threads: number, options: EmulatedCardOptions): Promise<Emulated> {
  const program = await programIn(folder);
  if (!program) return openOne(folder, threads, options);
  const cards = new Map<string, EmulatedCard>();
  try {
    // One thread each: the threads of many small models would wait for one another.
    for (const net of program.nets) cards.set(net, await openOne(join(folder, net), 1, options));
    return new EmulatedMesh(program, cards);
  } catch (error) {
    for (const card of cards.values()) await card.close();
    throw error;
  }
}

/** Makes the twins of models that were exported without an emulator. */
export async function addTwins(folder: string): Promise<void> {
  const nets = (await programIn(folder))?.nets ?? [""];
  for (const net of nets) {
    const twin = join(folder, net, EMULATOR_FILE);
    if (!existsSync(twin)) await writeFile(twin, overrideIndices(await readWhole(join(folder, net, MODEL_FILE))));
  }
}

/** The program that a folder holds where several share layers. */
async function programIn(folder: string): Promise<SharedProgram | undefined> {
  const file = join(folder, PROGRAM_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(await readFile(file, "utf8")) as SharedProgram;
  } catch (cause) {
    throw new TargetError("artefact-damaged", `${file} can't be read; export with --emulate again`, { cause });
  }
}

async function openOne(folder: string, threads: number, options: EmulatedCardOptions): Promise<EmulatedCard> {
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
