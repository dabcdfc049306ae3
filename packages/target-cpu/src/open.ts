import { availableParallelism } from "node:os";
import { join } from "node:path";
import { NativeError } from "@llm/runtime-native";
import { type OrtOptions, type OrtSession, openOrt, type PanelsEvent } from "@llm/runtime-native/ort";
import { type Artefact, type OpenEvent, type Readers, type Session, TargetError } from "@llm/target";
import { modelFile } from "./build/units.ts";
import { coreCount } from "./cores.ts";
import { meshOf, openMesh } from "./mesh/open-mesh.ts";
import { netOptions } from "./net-options.ts";
import { type CpuOptions, contextOf } from "./options.ts";
import { chunkOf, NET } from "./pipeline.ts";
import { roomOnOpening } from "./plan/room.ts";
import { openPublished, publishedOf } from "./published/open-published.ts";
import { CpuSession } from "./session/cpu-session.ts";
import { statePorts, tokenBytes } from "./session/states.ts";

/** Opens a session over an artefact's model. */
export async function openCpu(
  artefact: Artefact,
  options: CpuOptions,
  readers?: Readers,
  tell?: (event: OpenEvent) => void,
): Promise<Session> {
  const published = publishedOf(artefact);
  const note = (text: string) => tell?.({ kind: "note", text });
  if (published !== undefined) return openPublished(published, artefact, options, note);
  const { folder, manifest } = artefact;
  const { context: most, width } = manifest.model;
  const owner = JSON.stringify([manifest.checkpoint, manifest.units.map(({ key }) => key)]);
  const mesh = await meshOf(artefact, options.mesh);
  const onPanels = (event: PanelsEvent) => tell?.(told(event));
  if (mesh) return openMesh(artefact, mesh, { ...options, context: contextOf(options.ctxLen, most), owner }, onPanels);
  contextOf(options.ctxLen, most); // refused before a model is loaded
  const model = await openModel(join(folder, modelFile(NET)), {
    threads: options.threads,
    ...netOptions(manifest, NET),
    onPanels,
  });
  const weights = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const context = roomOnOpening(options, { weights, token: tokenBytes(statePorts(model)), most }, note);
  return new CpuSession(model, width, {
    slots: options.batchSize,
    context,
    chunk: chunkOf(
      model.inputs.map(({ name }) => name),
      context,
    ),
    owner,
    ...(readers ? { readers } : {}),
  });
}

function told(event: PanelsEvent): OpenEvent {
  if (event.kind === "progress") return { ...event, note: "weights in the processor's order, once" };
  const text = `weights are put in order at every start, which takes time and memory: ${event.reason}`;
  return { kind: "note", text };
}

/** More threads than processors only wait for each other, and thousands of them keep everything else from running. */
export function threadCount(wanted = 0, most: number = availableParallelism(), best: number = coreCount()): number {
  return wanted === 0 ? best : Math.min(wanted, most);
}

/** Loads a net's model; what is wrong is said in the target's terms, and of a damaged one how to get another. */
export async function openModel(
  file: string,
  options: OrtOptions = {},
  instead = "build the artefact again",
): Promise<OrtSession> {
  const threads = threadCount(options.threads);
  try {
    return await openOrt(file, { ...options, threads });
  } catch (cause) {
    if (!NativeError.isInstance(cause)) throw cause;
    const { code, message } = cause;
    if (code === "runtime-missing" || code === "runtime-version")
      throw new TargetError("tool-missing", message, { cause });
    if (code === "option-invalid" || code === "resources") throw new TargetError(code, message, { cause });
    throw new TargetError("artefact-damaged", `${message}; ${instead}`, { cause });
  }
}
