import { open, stat } from "node:fs/promises";
import type { FileKind } from "@llm/target";
import { type InstalledTarget, installedTargets } from "./targets.ts";

/** Endings of files that no target is asked about: nothing has to be loaded for those. */
const COMMON = /\.(?:gguf|json|safetensors|pt|pth|txt)$/;
/** Longer than what any kind of file begins with. */
const START_BYTES = 16;

/** The installed target that knows files of this kind by itself, such as a .bmodel. */
export async function targetOfFile(path: string): Promise<InstalledTarget | undefined> {
  if (COMMON.test(path) || !(await isFile(path))) return undefined;
  const start = await startOf(path);
  if (path.endsWith(".bin") && isPickle(start)) return undefined;
  const targets = await installedTargets();
  return targets.find(({ target }) => target.files && isOf(target.files, path, start));
}

/** A folder that holds a model only as such a file: the target that takes it, and the file. */
export async function targetFileIn(
  folder: string,
): Promise<{ target: InstalledTarget["target"]; file: string } | undefined> {
  for (const { target } of await installedTargets()) {
    const file = await target.files?.findIn?.(folder);
    if (file !== undefined) return { target, file };
  }
  return undefined;
}

function isOf({ extension, magic = [] }: FileKind, path: string, start: Uint8Array): boolean {
  return path.endsWith(extension) && magic.every((byte, at) => start[at] === byte);
}

/** PyTorch's weights, a zip or a bare pickle: the files that end so most often. */
function isPickle(start: Uint8Array): boolean {
  return (start[0] === 0x50 && start[1] === 0x4b) || start[0] === 0x80;
}

async function startOf(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(START_BYTES), 0, START_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
