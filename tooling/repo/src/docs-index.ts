import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./workspace.ts";

/** The page that leads to all others. */
const INDEX = "docs/README.md";

/** Pages that nothing leads to, and links of the index that lead nowhere, one line each. */
export function lostPages(base: string = root): string[] {
  const text = readFileSync(join(base, INDEX), "utf8");
  const linked = new Set([...text.matchAll(/\]\(([^)#]+)/g)].map(([, path]) => join(dirname(INDEX), path!)));
  const pages = readdirSync(join(base, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  return [
    ...pages.filter((page) => page !== INDEX && !linked.has(page)).map((page) => `${INDEX}: doesn't lead to ${page}`),
    ...[...linked].filter((path) => !existsSync(join(base, path))).map((path) => `${INDEX}: there is no ${path}`),
  ];
}
