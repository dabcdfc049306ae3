import { execFileSync } from "node:child_process";

/** An environment in which git looks for the repository where it is asked, as it doesn't in another's hook. */
export function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name)),
  );
}

/** What git says in `base`, also where the checkout is somebody else's, as in containers that mount it. */
export function git(base: string, ...args: string[]): string {
  const settings = ["-c", "safe.directory=*"];
  const env = withoutGit(process.env);
  return execFileSync("git", [...settings, ...args], {
    cwd: base,
    env,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  }).trim();
}
