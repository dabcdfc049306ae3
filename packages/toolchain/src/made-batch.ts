import { resolve } from "node:path";
import { readManifest } from "@llm/target/engine";
import { findFinished } from "./find-finished.ts";
import { isPack, unpack } from "./pack/unpack.ts";
import { findTarget } from "./targets.ts";

/** How many sequences go together in something finished; undefined for checkpoints, and where that is decided when it is opened. */
export async function madeBatch(
  thing: string,
  env?: Readonly<Record<string, string | undefined>>,
): Promise<number | undefined> {
  const given = resolve(thing);
  const found = await findFinished((await isPack(given)) ? await unpack(given, env) : given);
  if (!found) return undefined;
  const manifest =
    found.kind === "artefact" ? await readManifest(found.folder) : (await found.files.artefact(found.file)).manifest;
  const { target } = await findTarget(manifest.target);
  const table = target.options as Readonly<Record<string, { readonly shapes: boolean }>>;
  if (!table.batchSize?.shapes) return undefined;
  const { batchSize, fullBatchSize } = (manifest.options ?? {}) as Readonly<Record<string, unknown>>;
  return [fullBatchSize, batchSize].find((size): size is number => typeof size === "number" && size > 0);
}
