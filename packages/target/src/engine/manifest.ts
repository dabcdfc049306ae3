import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "../artefact.ts";
import { TargetError } from "../error.ts";
import { isInside } from "./order.ts";

/** The file that makes a folder an artefact. */
export const MANIFEST = "manifest.json";

/** Far more than any: a thousand units with a thousand files each come to some hundred megabytes of JSON. */
const MAX_MANIFEST_BYTES = 256 << 20;

/** Reads and checks the manifest of an artefact, without looking at its other files. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  const text = await readText(path, folder);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TargetError("artefact-invalid", `${path}: not JSON; build the artefact again`, { cause: error });
  }
  return checkManifest(value, path);
}

/** Whether a folder whose manifest is invalid is an artefact all the same: others name files manifest.json as well. */
export async function wasArtefact(folder: string): Promise<boolean> {
  try {
    const value = JSON.parse(await readText(join(folder, MANIFEST), folder)) as Fields | null;
    return Number.isInteger(value?.schemaVersion) && typeof value?.target === "string" && Array.isArray(value.units);
  } catch {
    return false;
  }
}

async function readText(path: string, folder: string): Promise<string> {
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw new TargetError("artefact-missing", `${folder} is no artefact: it has no ${MANIFEST}`, { cause: error });
  });
  try {
    const { size } = await handle.stat();
    if (size > MAX_MANIFEST_BYTES)
      throw new TargetError("artefact-invalid", `${path}: ${size} bytes is too large for a manifest`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

type Fields = Readonly<Record<string, unknown>>;

function checkManifest(value: unknown, path: string): Manifest {
  const fail = (what: string): never => {
    throw new TargetError("artefact-invalid", `${path}: ${what}; build the artefact again`);
  };
  const object = (x: unknown, what: string): Fields =>
    typeof x === "object" && x !== null && !Array.isArray(x) ? (x as Fields) : fail(`${what} is missing`);
  const list = (x: unknown, what: string): readonly unknown[] => (Array.isArray(x) ? x : fail(`${what} is no list`));
  const text = (x: unknown, what: string): void => void (typeof x === "string" || fail(`${what} is missing`));
  const count = (x: unknown, what: string): void =>
    void ((typeof x === "number" && Number.isFinite(x) && x >= 0) || fail(`${what} is no count`));

  const manifest = object(value, "the manifest's object");
  if (!Number.isInteger(manifest.schemaVersion)) fail("schemaVersion is missing");
  if ((manifest.schemaVersion as number) > 1)
    throw new TargetError("artefact-newer", `${path}: made by a newer version of this program; update it`);
  for (const name of ["target", "checkpoint", "created"]) text(manifest[name], name);
  object(manifest.tools, "tools");
  const model = object(manifest.model, "model");
  for (const name of ["name", "architecture"]) text(model[name], `model.${name}`);
  for (const name of ["vocab", "width", "blocks", "context", "parameters"]) count(model[name], `model.${name}`);
  list(manifest.units, "units").forEach((unit, i) => {
    const fields = object(unit, `units[${i}]`);
    for (const name of ["id", "key"]) text(fields[name], `units[${i}].${name}`);
  });
  list(manifest.files, "files").forEach((file, i) => {
    const fields = object(file, `files[${i}]`);
    text(fields.path, `files[${i}].path`);
    if (!isInside(fields.path as string)) fail(`files[${i}].path leaves the folder`);
    count(fields.bytes, `files[${i}].bytes`);
    if (fields.link === undefined) text(fields.sha256, `files[${i}].sha256`);
    else {
      const link = object(fields.link, `files[${i}].link`);
      for (const name of ["size", "mtimeMs", "inode"]) count(link[name], `files[${i}].link.${name}`);
      text(link.headerSha256, `files[${i}].link.headerSha256`);
    }
  });
  return value as Manifest;
}
