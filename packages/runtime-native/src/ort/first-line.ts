/** The first line of what was thrown, for the end of a message of ours. */
export function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error)
    .split("\n")[0]!
    .trim();
}
