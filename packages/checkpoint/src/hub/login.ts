import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import { CheckpointError } from "../error.ts";
import { type Env, tokenPath } from "./settings.ts";

/** What no token is as long as; a file given by mistake is. */
const MAX_TOKEN = 1000;

/** Keeps a hub token where Python's huggingface_hub looks for it too, for its owner's eyes only. Returns the file. */
export async function storeToken(token: string, env: Env = process.env): Promise<string> {
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]+$/.test(trimmed) || trimmed.length > MAX_TOKEN)
    throw new CheckpointError("hub-unauthorised", "that is no token: one word of plain characters is expected");
  const path = tokenPath(env);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await makeFolder(dirname(path));
    await writeFile(temporary, trimmed, { mode: 0o600, flag: "w" });
    await chmod(temporary, 0o600); // whatever the umask, and whatever a file of that name had
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const { code } = error as NodeJS.ErrnoException;
    throw new CheckpointError(
      "cache-unwritable",
      `the token can't be written (${code}); set HF_HOME to a folder that can`,
      {
        file: path,
        cause: error,
      },
    );
  }
  return path;
}

/** Forgets the stored token. Returns its file, or undefined where there was none. */
export async function removeToken(env: Env = process.env): Promise<string | undefined> {
  const path = tokenPath(env);
  try {
    await rm(path);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new CheckpointError("cache-unwritable", `the token can't be removed (${code})`, { file: path, cause: error });
  }
}
