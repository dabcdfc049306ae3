import { readFileSync } from "node:fs";

// Opens the checkpoint named on the command line and says what that cost; without a name, what an empty process costs.
const folder = process.argv[2];
let open = 0;
if (folder !== undefined) {
  const { openCheckpoint } = await import("@llm/checkpoint");
  const start = performance.now();
  const checkpoint = await openCheckpoint(folder);
  open = performance.now() - start;
  await checkpoint.close();
}
console.log(JSON.stringify({ open, rss: peakMegabytes() }));

/** The kernel's own count where there is one: `resourceUsage` also counts the parent's memory before it became this process. */
function peakMegabytes(): number {
  if (process.platform !== "linux") return process.memoryUsage.rss() / 1e6;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1e3;
}
