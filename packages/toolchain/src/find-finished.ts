import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Target } from "@llm/target";
import { MANIFEST } from "@llm/target/engine";
import { targetFileIn, targetOfFile } from "./target-files.ts";

/** Something that needs no checkpoint: an artefact's folder, or a file that an installed target knows by itself. */
export type Finished =
  | { readonly kind: "artefact"; readonly folder: string }
  | {
      readonly kind: "file";
      readonly file: string;
      readonly target: Target;
      readonly files: NonNullable<Target["files"]>;
    };

/** What is finished at a path: an artefact, a device's file, or a folder that holds a model only as such a file. */
export async function findFinished(path: string): Promise<Finished | undefined> {
  if (await isArtefact(path)) return { kind: "artefact", folder: path };
  const known = await targetOfFile(path);
  const found = known
    ? { target: known.target, file: path }
    : (await isFolder(path))
      ? await targetFileIn(path)
      : undefined;
  return found && { kind: "file", ...found, files: found.target.files! };
}

/** Whether a folder is something that was exported, and no checkpoint that happens to have a manifest. */
export async function isArtefact(folder: string): Promise<boolean> {
  const has = (name: string) =>
    stat(join(folder, name)).then(
      () => true,
      () => false,
    );
  return (await has(MANIFEST)) && !(await has("config.json"));
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
