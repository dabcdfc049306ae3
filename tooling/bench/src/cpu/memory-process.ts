/**
 * `node memory-process.ts ARTEFACT SLOTS CONTEXT`: opens an artefact, fills all of its slots and says what that took at most, in
 * bytes: resident memory beyond what the program has with the smallest of models open.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { openRunnable } from "@llm/toolchain";

const [artefact, slots, context] = process.argv.slice(2);

/** A line of Linux's account of this process, in bytes. */
function status(name: "VmRSS" | "VmHWM"): number {
  const [, kilobytes] = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+)`)) ?? [];
  return Number(kilobytes) * 1024;
}

async function fill(model: string, batchSize: number, ctxLen: number): Promise<void> {
  const { session, close } = await openRunnable(model, { batchSize, targetOptions: { ctxLen } });
  const { chunk, vocab } = session.limits;
  const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
  for (let slot = 0; slot < batchSize; slot++)
    for (let at = 0; at < ctxLen; at += chunk) {
      const tokens = Int32Array.from({ length: Math.min(chunk, ctxLen - at) }, (_, i) => ((at + i) * 7919) % vocab);
      await session.step([{ slot, at, tokens, want }]);
    }
  await close();
}

await fill("demo", 1, 128);
const before = status("VmRSS");
writeFileSync("/proc/self/clear_refs", "5"); // the peak is of what comes from now on
await fill(artefact, Number(slots), Number(context));
process.stdout.write(JSON.stringify({ before, most: status("VmHWM") - before }));
