import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Artefact, flagName, type Json, type OptionDef, type Session, TargetError } from "@llm/target";
import { openModel } from "../open.ts";
import { type CpuOptions, contextOf, cpuOptions } from "../options.ts";
import { roomOnOpening } from "../plan/room.ts";
import { tokenBytes } from "../session/states.ts";
import { PUBLISHED } from "./artefact.ts";
import { inFormat } from "./find.ts";
import { PAST, PublishedSession } from "./published-session.ts";

/** A step's cache goes in and comes out longer. */
const CACHES_AT_ONCE = 2;

/** The file that an artefact stands for, where it is one that others published. */
export function publishedOf({ folder, manifest }: Artefact): string | undefined {
  const file = (manifest.options as { readonly [key: string]: Json } | null)?.[PUBLISHED];
  return typeof file === "string" ? join(folder, file) : undefined;
}

/** Opens a session over a published ONNX file. */
export async function openPublished(
  file: string,
  { manifest }: Artefact,
  options: CpuOptions,
  note: (text: string) => void,
): Promise<Session> {
  const { context: most } = manifest.model;
  contextOf(options.ctxLen, most); // refused before a model is loaded
  refuseShaping(options);
  const chosen = options.format === "auto" ? file : await inFormat(file, options.format);
  if (chosen === undefined)
    throw new TargetError(
      "option-invalid",
      `--format ${options.format}: this folder has no ONNX file with such weights`,
    );
  const model = await openModel(chosen, { threads: options.threads, prepack: true }, "download it again");
  try {
    const past = tokenBytes(model.inputs.filter(({ name }) => PAST.test(name)));
    const weights = await bytesOf(chosen);
    const context = roomOnOpening(options, { weights, token: CACHES_AT_ONCE * past, most }, note);
    return new PublishedSession(model, manifest.model, { slots: options.batchSize, context });
  } catch (error) {
    await model.close();
    throw error;
  }
}

/** Refuses what only shapes what is built here: the file is run as it was published. */
function refuseShaping(options: CpuOptions): void {
  for (const [name, def] of Object.entries(cpuOptions) as [keyof CpuOptions, OptionDef<unknown>][]) {
    const value = options[name];
    const usual = value === undefined || value === def.default || (Array.isArray(value) && value.length === 0);
    if (!def.shapes || name === "format" || usual || (name === "mesh" && value === "1x1")) continue;
    throw new TargetError(
      "option-invalid",
      `--${flagName(name)}: an ONNX file is run as it was published; give the checkpoint it was made from`,
    );
  }
}

/** Of a file with the weights that lie beside it, which are called after it. */
async function bytesOf(file: string): Promise<number> {
  const folder = dirname(file);
  const names = (await readdir(folder)).filter((name) => name.startsWith(basename(file)));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
