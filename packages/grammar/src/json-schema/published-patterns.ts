const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";

/** zod 4's pattern of host names, whose labels and whole are counted at once: those of three labels are never too long. */
const HOST_NAME =
  "^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$";

/**
 * pydantic's pattern of decimal numbers of so many digits, of which so many behind the point. Its first alternative has no end, and any
 * zeros may stand before and behind.
 */
const DECIMAL =
  /^\^\(\?!\^\[-\+\.\]\*\$\)\[\+-\]\?0\*\(\?:\\d\{0,(?<whole>\d+)\}\|\(\?=\[\\d\.\]\{1,(?<length>\d+)\}0\*\$\)(?:\\d\*\\\.\\d\*|\\d\{0,\d+\}\\\.\\d\{0,(?<places>\d+)\})0\*\$\)$/;

/** A pattern that many schemas have, as one of fewer cases: whatever matches it matches that, and nothing that people write is missing. */
export function simplified(pattern: string): string {
  if (pattern === HOST_NAME) return `^${label}(?:\\.${label}){0,2}\\.?$`;
  const { whole, length, places } = DECIMAL.exec(pattern)?.groups ?? {};
  if (whole === undefined) return pattern;
  if (places === undefined) return `^[+-]?(?:\\d{1,${whole}}|(?=.{2,${length}}$)(?:\\d+\\.\\d*|\\.\\d+))$`;
  const ways = [
    ...(whole === "0" ? [] : [`\\d{1,${whole}}(?:\\.\\d{0,${places}})?`]),
    ...(places === "0" ? [] : [`\\.\\d{1,${places}}`]),
  ];
  return `^[+-]?(?:${ways.join("|") || "0"})$`;
}
