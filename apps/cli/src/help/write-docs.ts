import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { installedTargets } from "@llm/toolchain/targets";
import { COMMANDS } from "../definition/commands.ts";
import { cliDocs } from "./docs.ts";

/** Where the page is that `pnpm --filter @llm/cli docs:cli` makes. */
export const docsPath: string = fileURLToPath(new URL("../../../../docs/cli.md", import.meta.url));

if (import.meta.main) {
  mkdirSync(dirname(docsPath), { recursive: true });
  writeFileSync(docsPath, cliDocs(COMMANDS, await installedTargets()));
}
