import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sources } from "./declared.ts";
import { type Package, root } from "./workspace.ts";

/** Past this a file no longer reads in one sitting; tables that are data and generated code are exempt. */
const MAX_LINES = 450;

/** Files that are too long, one line each. */
export function longFiles(pkg: Package): string[] {
  return sources(join(root, pkg.dir, "src"))
    .filter((file) => !/(^|\/)gen\//.test(file))
    .map((file) => ({ file, lines: readFileSync(join(root, pkg.dir, "src", file), "utf8").split("\n").length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ file, lines }) => `${pkg.dir}/src/${file}: ${lines} lines; ${MAX_LINES} is the limit`);
}
