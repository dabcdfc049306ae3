import { isAbsolute } from "node:path";
import { CheckpointError, printable } from "../error.ts";

/**
 * Checks a file name that came out of a file or a listing: relative, and staying inside the folder it is relative to on every
 * operating system. `from` is what named it, for the message.
 */
export function checkFileName(name: string, from: string): string {
  const parts = name.split("/");
  const safe =
    name !== "" &&
    !isAbsolute(name) &&
    !/^[a-zA-Z]:/.test(name) && // a Windows drive
    !name.includes("\\") &&
    !hasControl(name) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (!safe)
    throw new CheckpointError(
      "path-escapes",
      `names the file "${printable(name)}", which is not a plain relative path`,
      {
        file: from,
      },
    );
  return name;
}

function hasControl(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x20 || name.charCodeAt(i) === 0x7f) return true;
  return false;
}
