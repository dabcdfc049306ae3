import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Artefact, type Session, TargetError } from "@llm/target";
import { NETS_FILE, type NetsFile } from "../compile/nets-file.ts";
import type { Bm1684xOptions } from "../options.ts";
import { openSession } from "./open-session.ts";
import { listedRoles, recognisedRoles } from "./roles.ts";

const EXTENSION = ".bmodel";

/** Opens what was compiled: here, with a list of its nets beside it, or anywhere, by what its nets look like. */
export async function openArtefact({ folder, manifest }: Artefact, options: Bm1684xOptions): Promise<Session> {
  const files = manifest.files.map(({ path }) => path).filter((path) => path.endsWith(EXTENSION));
  if (files.length === 0) throw new TargetError("artefact-invalid", `${folder}: there is no bmodel in it`);
  const list = await readList(folder, files);
  return openSession({
    bmodels: (list?.bmodels ?? files).map((file) => join(folder, file)),
    roles: list ? listedRoles(list) : recognisedRoles,
    devices: options.device,
    slots: options.batchSize,
    simulate: options.simulate,
    ...(manifest.model.vocab > 0 ? { vocab: manifest.model.vocab } : {}),
  });
}

/** The list beside these bmodels; a folder may have one of other bmodels. */
async function readList(folder: string, files: readonly string[]): Promise<NetsFile | undefined> {
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
