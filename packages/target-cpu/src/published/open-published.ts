import { join } from "node:path";
import { type Artefact, type Json, type Session, TargetError } from "@llm/target";
import { openModel } from "../open.ts";
import type { CpuOptions } from "../options.ts";
import { PUBLISHED } from "./artefact.ts";
import { inFormat } from "./find.ts";
import { PublishedSession } from "./published-session.ts";

/** The file that an artefact stands for, where it is one that others published. */
export function publishedOf({ folder, manifest }: Artefact): string | undefined {
  const file = (manifest.options as { readonly [key: string]: Json } | null)?.[PUBLISHED];
  return typeof file === "string" ? join(folder, file) : undefined;
}

/** Opens a session over a published ONNX file. */
export async function openPublished(file: string, { manifest }: Artefact, options: CpuOptions): Promise<Session> {
  const { context: most } = manifest.model;
  const context = options.ctxLen === 0 ? most : options.ctxLen;
  if (context > most)
    throw new TargetError("option-invalid", `--ctx-len ${context}: this model takes at most ${most} tokens`);
  const chosen = options.format === "auto" ? file : await inFormat(file, options.format);
  if (chosen === undefined)
    throw new TargetError(
      "option-invalid",
      `--format ${options.format}: this folder has no ONNX file with such weights`,
    );
  const model = await openModel(chosen, { threads: options.threads, prepack: true });
  try {
    return new PublishedSession(model, manifest.model, { slots: options.batchSize, context });
  } catch (error) {
    await model.close();
    throw error;
  }
}
