import { access, open } from "node:fs/promises";
import { UsageError } from "../exit.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "it is a folder, not a file",
  EACCES: "it may not be read",
};

/** Refuses a file or folder that an option names and that isn't there, before anything is done that takes long. */
export async function checkPath(flag: string, path: string): Promise<void> {
  await access(path).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${flag} ${path}: ${code === "ENOENT" ? "there is no such file or folder" : (REASONS[code ?? ""] ?? code)}`,
    );
  });
}

/** Refuses a file that an option names and that can't be read, before anything is done that takes long. */
export async function checkFile(flag: string, file: string): Promise<void> {
  const refused = (code: string | undefined) =>
    new UsageError(`${flag} ${file}: ${REASONS[code ?? ""] ?? `it can't be read (${code})`}`);
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw refused(error.code);
  });
  try {
    if ((await handle.stat()).isDirectory()) throw refused("EISDIR");
  } finally {
    await handle.close();
  }
}
