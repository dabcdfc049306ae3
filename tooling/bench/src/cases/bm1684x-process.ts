/**
 * `node bm1684x-process.ts CHECKPOINT SCRATCH MODE`: compiles the pair of nets of a checkpoint's first block, one after the
 * other, joins them, and prints what it took: processor seconds with those of the compiler, peaks, and the most that lay on disk.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import { nativeCodecs } from "@llm/runtime-native/codecs";
import type { Unit } from "@llm/target";
import { type Bm1684xMode, bm1684xTarget } from "@llm/target-bm1684x";
import { useFastCodecs } from "@llm/tensor";

useFastCodecs(nativeCodecs); // as the command line does

const [path, scratch, mode] = process.argv.slice(2) as [string, string, Bm1684xMode];
const options = {
  mode,
  ctxLen: 512,
  qGroupSize: 64,
  numDevice: 1,
  name: "",
  batchSize: 1,
  device: [0],
  simulate: false,
};
const { config, weights, close } = await openCheckpoint(path);
const graph = architectureFor(config).build(new Config(config), (name) => weights.get(name)?.shape);
const program = runPipeline(programOf(graph), bm1684xTarget.pipeline(graph, options), {
  passes: [...corePasses, ...(bm1684xTarget.passes ?? [])],
});
const units = bm1684xTarget.units(program, options);
const began = performance.now();
let peak = 0;
let disk = 0;
const look = setInterval(() => {
  disk = Math.max(disk, bytesBelow(scratch));
}, 100);
for (const id of ["block_0", "block_cache_0"]) await make(units.find((unit) => unit.id === id)!);
const parts = ["block_0", "block_cache_0"].map((id) => ({ unit: id, file: `${id}.bmodel` }));
const bmodel = units.find(({ id }) => id === "bmodel")!;
await make({ ...bmodel, spec: { file: "pair.bmodel", parts }, makes: ["pair.bmodel"] });
clearInterval(look);
await close();
const cpu = processorSeconds();
console.log(
  JSON.stringify({
    seconds: (performance.now() - began) / 1000,
    cpu,
    compiler: peak / 1e9,
    own: process.resourceUsage().maxRSS / 1e6,
    disk: disk / 1e9,
    bmodel: statSync(join(scratch, "bmodel", "pair.bmodel")).size / 1e6,
    minutesFor40: (cpu * 40) / 60,
  }),
);

async function make(unit: Unit): Promise<void> {
  const folder = join(scratch, unit.id);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await bm1684xTarget.build(unit, {
    folder,
    source: weights,
    signal: new AbortController().signal,
    input: (id) => join(scratch, id),
    progress() {},
    linked() {},
    measured: (bytes) => {
      peak = Math.max(peak, bytes);
    },
  });
}

function bytesBelow(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  return sum;
}

/** Of this process and of those it waited for: fields 14 to 17, in hundredths of a second on every Linux there is. */
function processorSeconds(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)!.split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}
