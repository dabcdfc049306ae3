// Compiles sweeps.ts into the sources, or, with --check, says whether what lies there is what it compiles to.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const built = fileURLToPath(new URL("../src/sampling/sweeps/gen/sweeps.ts", import.meta.url));

let bytes: Uint8Array | undefined;
const { error, stderr } = await asc.main(
  [
    "sweeps.ts",
    "--outFile",
    "sweeps.wasm",
    "-O3",
    "--noAssert",
    "--runtime",
    "stub",
    "--enable",
    "simd",
    "--importMemory",
  ],
  {
    readFile: (name) => (name === "sweeps.ts" ? readFileSync(new URL(name, import.meta.url), "utf8") : null),
    writeFile: (_name, contents) => void (bytes = contents as Uint8Array),
    listFiles: () => [],
  },
);
if (error || !bytes) throw new Error(`sweeps.ts doesn't compile: ${stderr.toString()}`);
const source = `// Built from assembly/sweeps.ts by \`pnpm --filter @llm/generate build:sweeps\`: edit that.
export const SWEEPS: string =
  "${Buffer.from(bytes).toString("base64")}";
`;
if (!process.argv.includes("--check")) writeFileSync(built, source);
else if (readFileSync(built, "utf8") !== source)
  throw new Error("src/sampling/sweeps/gen/sweeps.ts is out of date: run pnpm --filter @llm/generate build:sweeps");
