import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ToolchainError } from "@llm/toolchain";

/** Writes an HTML page, making its folder where there is none. */
export async function writePage(path: string, page: string): Promise<void> {
  const file = resolve(path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, page);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ToolchainError("write-failed", `${file} can't be written (${code}); choose another file (--html)`, {
      cause: error,
    });
  }
}
