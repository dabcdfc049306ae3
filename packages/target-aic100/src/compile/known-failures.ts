/** What the compiler is known to end with, and what that means for somebody who wants a QPC. */
interface KnownFailure {
  readonly pattern: RegExp;
  say(match: RegExpMatchArray): string;
}

const FAILURES: readonly KnownFailure[] = [
  {
    pattern: /Invalid option (-[\w-]+)/,
    say: ([, flag]) =>
      flag === "-retained-state"
        ? "this SDK is too old to keep caches on the device (it has no -retained-state): install 1.12 or newer"
        : `this SDK doesn't know ${flag}: choose the --sdk-profile of its version, or install another SDK`,
  },
  {
    pattern: /json\.exception\.type_error\.302/,
    say: () => "this SDK reads only flat specializations: choose --sdk-profile 1.22 (or 1.21)",
  },
  {
    pattern: /Indices and updates must have same lengths/i,
    say: () => "this SDK can't write caches at positions (ScatterND): install a newer one",
  },
  {
    pattern: /bad_alloc|out of memory|cannot allocate memory/i,
    say: () => "it ran out of memory: compile on a machine with more, or in fewer layers at once (sub-functions)",
  },
  { pattern: /no space left on device/i, say: () => "the disk is full: make room and run the same command again" },
  {
    pattern: /error while loading shared libraries: ([\w.+-]+)/,
    say: ([, library]) => `it doesn't start, ${library} is missing: install the Apps SDK again`,
  },
];

/** One line on why the compiler gave up: a known reason with its way out, else what it said last. */
export function explainFailure(output: string, end: number | NodeJS.Signals): string {
  for (const { pattern, say } of FAILURES) {
    const match = output.match(pattern);
    if (match) return say(match);
  }
  if (end === "SIGKILL" || end === 137)
    return "it was killed, most likely because memory ran out: compile on a machine with more";
  const lines = output.split("\n").map((line) => line.split("\r").at(-1)!.trim());
  const telling = lines.findLast((line) => /error|fail|assert|exception|terminate/i.test(line));
  const said = telling ?? lines.filter(Boolean).at(-1) ?? "it said nothing";
  return `${typeof end === "number" ? `exit code ${end}` : end}: ${said.slice(0, 300)}`;
}
