import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ToolchainError, writableFolder } from "@llm/toolchain";

const ELSEWHERE = "choose another file (--html)";

/** Writes an HTML page, making its folder where there is none. */
export async function writePage(path: string, page: string): Promise<void> {
  const file = resolve(path);
  await writableFolder(dirname(file), ELSEWHERE);
  await writeFile(file, page).catch((error: NodeJS.ErrnoException) => {
    throw new ToolchainError("write-failed", `${file} can't be written (${error.code}); ${ELSEWHERE}`, {
      cause: error,
    });
  });
}
