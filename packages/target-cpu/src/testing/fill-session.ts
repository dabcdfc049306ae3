/**
 * `node fill-session.ts ARTEFACT FORMAT SLOTS CONTEXT TINY <GRAPH`: says how much more memory is resident at most while a session's slots
 * are filled and all of them decode than before it was opened, and what was planned, in bytes. TINY is a small artefact, with
 * which the runtime is loaded: memory that a larger one had before would be there already. Pages of the artefact's own files
 * don't count where weights are kept elsewhere: they are rows of a table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { ortAddonStatus } from "@llm/runtime-native/ort";
import { openArtefact } from "@llm/target/engine";
import { cpuTarget } from "../cpu-target.ts";
import { openCpu } from "../open.ts";

const [folder, format, slots, context, tiny] = process.argv.slice(2);

/** A line of Linux's account of this process, in bytes. */
function status(name: "VmRSS" | "VmHWM"): number {
  return 1024 * Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+)`))![1]);
}

function mappedFrom(place: string): number {
  const mappings = readFileSync("/proc/self/smaps", "utf8").split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  return mappings
    .filter((mapping) => mapping.includes(place))
    .reduce((sum, mapping) => sum + 1024 * Number(mapping.match(/\nRss:\s+(\d+)/)?.[1] ?? 0), 0);
}

/** Whether nothing of weights is read from the artefact's files any more: our kernels map their own, the runtime's keep theirs. */
function keptElsewhere(): boolean {
  return mappedFrom("/llm/panels/") > 0 || (format !== "fp32" && !ortAddonStatus().used);
}

async function fill(artefact: string, batchSize: number, ctxLen: number): Promise<number> {
  const options = { format: format!, batchSize, ctxLen, threads: 1 };
  const session = await openCpu(await openArtefact(artefact), options);
  writeFileSync("/proc/self/clear_refs", "5"); // the peak is of what comes from now on
  const { chunk, vocab } = session.limits;
  for (let slot = 0; slot < batchSize; slot++)
    for (let at = 0; at < ctxLen; at += chunk) {
      const tokens = Int32Array.from({ length: Math.min(chunk, ctxLen - at) }, (_, i) => (at + i) % vocab);
      await session.step([{ slot, at, tokens, want: { kind: "logits", last: 1 } }]);
    }
  const last = Array.from({ length: batchSize }, (_, slot) => ({
    slot,
    at: ctxLen - 1,
    tokens: Int32Array.of(1),
    want: { kind: "logits", last: 1 } as const,
  }));
  await session.step(last);
  const tables = keptElsewhere() ? mappedFrom(`${artefact}/`) : 0;
  await session.close();
  return tables;
}

await fill(tiny!, 1, 16); // loads the runtime
const before = status("VmRSS");
const tables = await fill(folder!, Number(slots), Number(context));
const measured = status("VmHWM") - before - tables;
const options = { format: format!, batchSize: Number(slots), ctxLen: Number(context), threads: 1 };
const [plan] = cpuTarget.plan(JSON.parse(readFileSync(0, "utf8")), options).devices;
const { weights, kv, activations, reserve } = plan!;
process.stdout.write(JSON.stringify({ measured, planned: weights + kv + activations, reserve }));
