import { homedir } from "node:os";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a user's programs keep what can be made again. XDG's rule: the variable counts when it is an absolute path. */
export function cacheHome(env: Environment = process.env): string {
  const said = env.XDG_CACHE_HOME;
  return said?.startsWith("/") ? said : join(env.HOME || homedir(), ".cache");
}

/** Weights of the CPU's artefacts in the order of this processor's kernels. */
export function panelCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "panels");
}
