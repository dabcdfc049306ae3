import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { writableFolder } from "@llm/toolchain";
import { UsageError } from "../exit.ts";

/** Refuses a file that an option names and that can't be written, before anything is done that takes long. Makes its folder. */
export async function checkOutput(flag: string, path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const file = resolve(path);
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory())
    throw new UsageError(`${flag} ${path}: it is a folder; name the file that is to be written`);
  if (!found) return void (await writableFolder(dirname(file), `choose another file (${flag})`));
  await access(file, constants.W_OK).catch(({ code }) => {
    throw new UsageError(`${flag} ${path}: it may not be written (${code}); choose another file`);
  });
}

/** Writes what an option asks for once the work is done. What goes wrong with that is returned, to be told beside the results. */
export async function writeOutput(
  flag: string,
  path: string | undefined,
  text: () => string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    await writeFile(resolve(path), text());
    return undefined;
  } catch (error) {
    return `${flag} ${path} can't be written (${(error as NodeJS.ErrnoException).code}); all else is done`;
  }
}

/** What several parts of a command's work have to complain about, as an outcome has it. */
export function problems(...found: readonly (string | undefined)[]): { readonly problem?: string } {
  const said = found.filter((one) => one !== undefined);
  return said.length === 0 ? {} : { problem: said.join("; ") };
}
