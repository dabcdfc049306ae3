import { readFile } from "node:fs/promises";
import { UsageError } from "../exit.ts";

/** A JSON file that holds a list; `what` says of what, for the error. */
export async function readJsonList(file: string, what: string): Promise<readonly unknown[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file}: can't be read (${error.code})`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: is not JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(value)) return value;
  throw new UsageError(`${file}: is not a list of ${what}`);
}
