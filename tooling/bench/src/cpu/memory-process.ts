/**
 * `node memory-process.ts ARTEFACT SLOTS CONTEXT`: opens an artefact, fills all of its slots, has all of them decode and says what that
 * took at most, in bytes: resident memory beyond what the program has with the smallest of models open; and how much of it are
 * pages of tables that are only looked up in, which the system maps around each row and takes back when it needs them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { ortAddonStatus } from "@llm/runtime-native/ort";
import { openArtefact } from "@llm/target/engine";
import { openRunnable } from "@llm/toolchain";

const [artefact, slots, context] = process.argv.slice(2);

/** A line of Linux's account of this process, in bytes. */
function status(name: "VmRSS" | "VmHWM"): number {
  const [, kilobytes] = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+)`)) ?? [];
  return Number(kilobytes) * 1024;
}

/**
 * Where weights are mapped in the kernels' order, or packed again by the runtime, all that is read of the artefact's own files are
 * rows of tables, and vectors that weigh nothing; elsewhere tables are mapped together with what is multiplied by.
 */
async function lookedUp(folder: string): Promise<number> {
  const mappings = readFileSync("/proc/self/smaps", "utf8").split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  const { manifest } = await openArtefact(folder);
  const isPacked = ["int4", "int8"].includes((manifest.options as { readonly format: string }).format);
  const isElsewhere = mappings.some((mapping) => mapping.includes("/llm/panels/"));
  if (!isElsewhere && !(isPacked && !ortAddonStatus().used)) return 0;
  const own = mappings.filter((mapping) => mapping.includes(`${folder}/`));
  return own.reduce((sum, mapping) => sum + 1024 * Number(mapping.match(/\nRss:\s+(\d+)/)?.[1] ?? 0), 0);
}

async function fill(model: string, batchSize: number, ctxLen: number): Promise<number> {
  const { session, close } = await openRunnable(model, { batchSize, targetOptions: { ctxLen } });
  writeFileSync("/proc/self/clear_refs", "5"); // the peak is of what comes from now on
  const { chunk, vocab } = session.limits;
  const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
  for (let slot = 0; slot < batchSize; slot++)
    for (let at = 0; at < ctxLen; at += chunk) {
      const tokens = Int32Array.from({ length: Math.min(chunk, ctxLen - at) }, (_, i) => ((at + i) * 7919) % vocab);
      await session.step([{ slot, at, tokens, want }]);
    }
  const last = Array.from({ length: batchSize }, (_, slot) => ({
    slot,
    at: ctxLen - 1,
    tokens: Int32Array.of(1),
    want,
  }));
  await session.step(last);
  const tables = model === "demo" ? 0 : await lookedUp(model);
  await close();
  return tables;
}

await fill("demo", 1, 128);
const before = status("VmRSS");
const tables = await fill(artefact!, Number(slots), Number(context));
process.stdout.write(JSON.stringify({ most: status("VmHWM") - before, tables }));
