/** `pnpm check` after the linter and the compiler: what only this repository asks of itself. */
import { unannouncedChanges } from "./changesets.ts";
import { exportMismatches, undeclaredImports } from "./declared.ts";
import { lostPages } from "./docs-index.ts";
import { staleFeatures } from "./features.ts";
import { longFiles } from "./file-length.ts";
import { forbiddenDependencies, readImportTable } from "./import-table.ts";
import { filesToPack, packProblems } from "./packed.ts";
import { brokenSnippets } from "./snippets.ts";
import { root, workspacePackages } from "./workspace.ts";

const packages = workspacePackages();
const problems = [
  ...forbiddenDependencies(readImportTable(), packages),
  ...packages.flatMap((pkg) => undeclaredImports(pkg, packages)),
  ...packages.flatMap(exportMismatches),
  ...packages.filter(({ manifest }) => !manifest.private).flatMap((pkg) => packProblems(pkg, filesToPack(pkg))),
  ...packages.flatMap(longFiles),
  ...staleFeatures(),
  ...lostPages(),
  ...brokenSnippets(packages),
  ...unannouncedChanges(root),
];
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? `checked ${packages.length} packages` : `${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
