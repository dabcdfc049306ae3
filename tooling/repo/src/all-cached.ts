/** After a full run: exits 1 if turbo would run any build or test again, and says which. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workspace.ts";

const out = execFileSync(join(root, "node_modules/.bin/turbo"), ["run", "build", "test", "--dry=json"], {
  cwd: root,
  encoding: "utf8",
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  maxBuffer: 64 * 1024 * 1024,
});
const plan: { tasks: { taskId: string; cache: { status: string } }[] } = JSON.parse(out.slice(out.indexOf("{")));
const misses = plan.tasks.filter((task) => task.cache.status !== "HIT").map((task) => task.taskId);
for (const task of misses) console.error(`not cached: ${task}`);
console.log(`${plan.tasks.length - misses.length} of ${plan.tasks.length} tasks are cached`);
process.exitCode = misses.length > 0 ? 1 : 0;
