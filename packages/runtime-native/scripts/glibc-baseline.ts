// Says whether binaries load on the oldest systems we promise: which version of the C library (and of libstdc++) each asks for.
// usage: node scripts/glibc-baseline.ts FILE…
import { execFileSync } from "node:child_process";

/** Ubuntu 22.04 has 2.35 and GCC 12's libstdc++, RHEL 9 has 2.34 and GCC 11's. */
const BASELINE: Readonly<Record<string, readonly number[]>> = {
  GLIBC: [2, 34],
  GLIBCXX: [3, 4, 29],
  CXXABI: [1, 3, 13],
};

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write("usage: node scripts/glibc-baseline.ts FILE…\n");
  process.exit(2);
}

for (const file of files) {
  const symbols = execFileSync("objdump", ["-T", file], { encoding: "utf8", maxBuffer: 1 << 28 });
  const asked = new Map<string, readonly number[]>();
  for (const [, library, version] of symbols.matchAll(/\((GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)/g)) {
    const parts = version!.split(".").map(Number);
    if (isNewer(parts, asked.get(library!) ?? [])) asked.set(library!, parts);
  }
  const text = [...asked].map(([library, version]) => `${library} ${version.join(".")}`).join(", ");
  const newer = [...asked].filter(([library, version]) => isNewer(version, BASELINE[library]!));
  if (newer.length > 0) {
    const wanted = newer.map(([library]) => `${library} ${BASELINE[library]!.join(".")}`).join(", ");
    process.stderr.write(`${file} asks for ${text}: it won't load where there is only ${wanted}\n`);
    process.exitCode = 1;
  } else process.stdout.write(`${file}: ${text}\n`);
}

function isNewer(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i++)
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) > (b[i] ?? 0);
  return false;
}
