#!/usr/bin/env node
// What runs first, on whatever Node is there: nothing newer than modules before the version has been looked at.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    `llm: needs Node 24 or newer, this is ${process.version}; get it from nodejs.org, or run: npx -y node@24 "$(command -v llm)"\n`,
  );
  process.exitCode = 3;
} else {
  // What was compiled (and stripped of its types) last time isn't again.
  (await import("node:module")).enableCompileCache?.();
  const { runProcess } = await import("./process.ts");
  await runProcess();
}
