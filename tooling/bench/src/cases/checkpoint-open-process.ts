// Opens the checkpoint named on the command line and says what that cost; without a name, what an empty process costs.
const folder = process.argv[2];
let open = 0;
if (folder !== undefined) {
  const start = performance.now();
  const { openCheckpoint } = await import("@llm/checkpoint");
  const checkpoint = await openCheckpoint(folder);
  open = performance.now() - start;
  await checkpoint.close();
}
console.log(JSON.stringify({ open, rss: process.resourceUsage().maxRSS / 1024 }));
