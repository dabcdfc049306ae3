/**
 * `node fill-session.ts ARTEFACT FORMAT SLOTS CONTEXT`: says how much more memory is resident at most while a session is opened and
 * all of its slots are filled, in bytes. Pages of the artefact's own files don't count where weights are mapped from elsewhere:
 * they are rows of a table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { openArtefact } from "@llm/target/engine";
import { openCpu } from "../open.ts";

const [folder, format, slots, context] = process.argv.slice(2);
const artefact = await openArtefact(folder!);

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

async function fill(): Promise<number> {
  const [batchSize, ctxLen] = [Number(slots), Number(context)];
  const session = await openCpu(artefact, { format: format!, batchSize, ctxLen, threads: 1 });
  const { chunk, vocab } = session.limits;
  for (let slot = 0; slot < batchSize; slot++)
    for (let at = 0; at < ctxLen; at += chunk) {
      const tokens = Int32Array.from({ length: Math.min(chunk, ctxLen - at) }, (_, i) => (at + i) % vocab);
      await session.step([{ slot, at, tokens, want: { kind: "logits", last: 1 } }]);
    }
  const tables = mappedFrom("/llm/panels/") > 0 ? mappedFrom(`${folder}/`) : 0;
  await session.close();
  return tables;
}

await fill(); // loads the runtime, and makes what is made once
const before = status("VmRSS");
writeFileSync("/proc/self/clear_refs", "5"); // the peak is of what comes from now on
const tables = await fill();
process.stdout.write(String(status("VmHWM") - before - tables));
