import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "./git.ts";
import { workspacePackages } from "./workspace.ts";

/** The commit of the last release: the newest that changed `.changeset/released`, else the first commit. */
export function lastRelease(base: string): string {
  const marked = git(base, "log", "-1", "--format=%H", "--", ".changeset/released");
  return marked || git(base, "rev-list", "--max-parents=0", "HEAD").split("\n").at(-1)!;
}

/** Packages named in a pending changeset. */
function announced(base: string): Set<string> {
  const names = new Set<string>();
  const dir = join(base, ".changeset");
  if (!existsSync(dir)) return names;
  for (const file of readdirSync(dir)) {
    if (!file.endsWith(".md") || file === "README.md") continue;
    const matter = /^---\n([\s\S]*?)\n---/.exec(readFileSync(join(dir, file), "utf8"))?.[1] ?? "";
    for (const match of matter.matchAll(/^["']?(@llm\/[\w-]+)["']?\s*:\s*(?:major|minor|patch)\s*$/gm))
      names.add(match[1]);
  }
  return names;
}

/** Published packages whose sources changed since the last release without a changeset, one line each. */
export function unannouncedChanges(base: string): string[] {
  const since = lastRelease(base);
  const changed = git(base, "diff", "--name-only", since, "HEAD").split("\n");
  const named = announced(base);
  const problems: string[] = [];
  for (const pkg of workspacePackages(base)) {
    if (pkg.manifest.private || named.has(pkg.manifest.name)) continue;
    const file = changed.find((path) => path.startsWith(`${pkg.dir}/`) && !/\.test\.ts$|README\.md$/.test(path));
    if (file)
      problems.push(
        `${pkg.manifest.name}: ${file} changed since the last release without a changeset; run \`pnpm changeset\``,
      );
  }
  return problems;
}
