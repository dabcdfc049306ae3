// Before packing: puts the binary that was built here where the published package looks for it, so that installing needs
// no compiler. A package without one, or with one of other sources, isn't packed, unless LLM_PACK_WITHOUT_ADDON=1 says
// so. Binaries of other platforms, already in `prebuilds`, are kept: `pnpm release` makes them anew and puts them there.
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadAddon } from "../src/addon.ts";

const built = process.argv[2] ?? fileURLToPath(new URL("../build/Release/llm_native.node", import.meta.url));
const folder = fileURLToPath(new URL(`../prebuilds/${process.platform}-${process.arch}`, import.meta.url));

const { status } = loadAddon({ env: { LLM_ADDON: built } });
if (status.state === "loaded") {
  mkdirSync(folder, { recursive: true });
  // At once: another that packs meanwhile must not find half of it.
  const part = `${built}.${process.pid}`;
  copyFileSync(built, part);
  renameSync(part, `${folder}/llm_native.node`);
} else {
  const without = process.env.LLM_PACK_WITHOUT_ADDON === "1";
  process.stderr.write(
    `${without ? "packing without" : "not packed: there is no"} addon for this platform: ${status.reason}\n`,
  );
  process.exitCode = without ? 0 : 1;
}
