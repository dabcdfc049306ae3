// Before packing: puts the binary that was built here where the published package looks for it, so that installing needs
// no compiler. Binaries of other platforms, already in `prebuilds`, are kept: a release gathers them there.
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../build/Release/llm_native.node", import.meta.url));
const folder = fileURLToPath(new URL(`../prebuilds/${process.platform}-${process.arch}`, import.meta.url));

if (existsSync(built)) {
  mkdirSync(folder, { recursive: true });
  // At once: another that packs meanwhile must not find half of it.
  const part = `${built}.${process.pid}`;
  copyFileSync(built, part);
  renameSync(part, `${folder}/llm_native.node`);
} else {
  process.stderr.write("packing without a binary for this platform: none was built (pnpm build)\n");
}
