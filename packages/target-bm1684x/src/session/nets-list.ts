import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { TargetError } from "@llm/target";
import { NETS_FILE, type NetsFile } from "../compile/nets-file.ts";

/** The list of nets beside these bmodels; undefined where there is none, or one of other bmodels. */
export async function readNetsList(folder: string, files: readonly string[]): Promise<NetsFile | undefined> {
  const path = join(folder, NETS_FILE);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const list = parsed(path, text);
  if (list.schemaVersion > 1)
    throw new TargetError("artefact-newer", `${path}: made by a newer version of this program; update it`);
  if (list.schemaVersion !== 1 || !Array.isArray(list.bmodels) || !Array.isArray(list.nets))
    throw new TargetError("artefact-invalid", `${path}: no list of nets; compile again, or remove it`);
  const named = list.bmodels.every((file) => typeof file === "string" && file === basename(file));
  if (!named) throw new TargetError("artefact-invalid", `${path}: names bmodels outside its folder`);
  return files.some((file) => list.bmodels.includes(file)) ? list : undefined;
}

function parsed(path: string, text: string): NetsFile {
  try {
    return JSON.parse(text) as NetsFile;
  } catch (cause) {
    throw new TargetError("artefact-invalid", `${path}: not JSON; compile again, or remove it`, { cause });
  }
}
