import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Package, root } from "./workspace.ts";

/** A program that a page shows. */
export interface Snippet {
  readonly page: string;
  /** Where it begins on the page, from 1. */
  readonly line: number;
  readonly code: string;
}

/** A block that imports begins a program; one that doesn't goes on with the program before it. */
export function snippetsOf(page: string, text: string): Snippet[] {
  const snippets: Snippet[] = [];
  for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    const [, code] = match as unknown as [string, string];
    const line = text.slice(0, match.index).split("\n").length + 1;
    const last = snippets.at(-1);
    if (last && !/^import /m.test(code)) {
      const gap = line - last.line - last.code.split("\n").length + 1;
      snippets[snippets.length - 1] = { ...last, code: last.code + "\n".repeat(Math.max(0, gap)) + code };
    } else snippets.push({ page, line, code });
  }
  return snippets;
}

/** Folder of programs while they are compiled, in each package that they are compiled in. */
const FOLDER = ".snippets";

/** What pages show and the compiler refuses, one line each. */
export function brokenSnippets(packages: readonly Package[]): string[] {
  const problems: string[] = [];
  const files = new Map<string, Snippet>();
  for (const snippet of pages(packages).flatMap((page) => snippetsOf(page, readFileSync(join(root, page), "utf8")))) {
    const home = homeOf(snippet, packages);
    if (home === undefined) {
      problems.push(
        `${snippet.page}:${snippet.line}: no package has all that this imports: ${importsOf(snippet.code).join(", ")}`,
      );
      continue;
    }
    const name = `${snippet.page.replace(/[^a-z0-9]+/gi, "-")}-${snippet.line}.ts`;
    files.set(join(home, FOLDER, name), snippet);
  }
  const folders = new Set([...files.keys()].map((file) => join(root, file, "..")));
  try {
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    for (const [file, { code }] of files) writeFileSync(join(root, file), `${code}\nexport {};\n`);
    return [...problems, ...compile([...files.keys()], files)];
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

function pages(packages: readonly Package[]): string[] {
  const readmes = ["README.md", ...packages.map(({ dir }) => `${dir}/README.md`)];
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return [...readmes.filter((file) => existsSync(join(root, file))), ...docs.map((name) => `docs/${name}`)];
}

function importsOf(code: string): string[] {
  const names = [...code.matchAll(/\bfrom "([^"]+)"/g)].map(([, name]) => name!);
  return [
    ...new Set(
      names.map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      ),
    ),
  ].filter((name) => !name.startsWith("node:"));
}

/** The package whose page it is, or else any that has what it imports. */
function homeOf({ page, code }: Snippet, packages: readonly Package[]): string | undefined {
  const own = packages.filter(({ dir }) => page.startsWith(`${dir}/`));
  const has = ({ dir, manifest }: Package) =>
    importsOf(code).every((name) => name === manifest.name || existsSync(join(root, dir, "node_modules", name)));
  return [...own, ...packages].find(has)?.dir;
}

function compile(files: readonly string[], snippets: ReadonlyMap<string, Snippet>): string[] {
  if (files.length === 0) return [];
  const config = join(root, "tooling/repo", FOLDER);
  mkdirSync(config, { recursive: true });
  try {
    const settings = {
      extends: "../../../tsconfig.base.json",
      compilerOptions: { composite: false, declaration: false, declarationMap: false, noEmit: true, rootDir: root },
      files: files.map((file) => relative(config, join(root, file))),
    };
    writeFileSync(join(config, "tsconfig.json"), JSON.stringify(settings));
    const tsc = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", config, "--pretty", "false"], {
      cwd: root,
      encoding: "utf8",
    });
    return compilerProblems(tsc, snippets);
  } finally {
    rmSync(config, { recursive: true, force: true });
  }
}

/** What a run of the compiler said, by page and line; one that failed without naming a file is a problem, too. */
export function compilerProblems(
  { status, stdout, stderr, error }: Pick<SpawnSyncReturns<string>, "status" | "stdout" | "stderr" | "error">,
  snippets: ReadonlyMap<string, Snippet>,
): string[] {
  const problems = [...(stdout ?? "").matchAll(/^(\S+\.ts)\((\d+),\d+\): error (.+)$/gm)].map(
    ([, file, line, message]) => {
      const snippet = snippets.get(file!);
      return snippet ? `${snippet.page}:${snippet.line + Number(line) - 1}: ${message}` : `${file}:${line}: ${message}`;
    },
  );
  if (status === 0 || problems.length > 0) return problems;
  return [
    `pages could not be compiled: ${error?.message ?? ([stdout, stderr].join("\n").trim() || `tsc ended with ${status}`)}`,
  ];
}
