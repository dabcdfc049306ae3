/**
 * `node export-process.ts CHECKPOINT OUT [fp16]`: exports once as standard ONNX, cold, and prints what it took. Memory is
 * told apart: what the process holds itself, and pages of mapped files, which the system may take back.
 */
import { readFileSync } from "node:fs";

const before = resident();
const { openCheckpoint } = await import("@llm/checkpoint");
const { halfPrecision, storageOf, toOnnx, transformersInterface, writeOnnx } = await import("@llm/exporter");
const { architectureFor, Config } = await import("@llm/models");
const { nativeCodecs } = await import("@llm/runtime-native/codecs");
const { useFastCodecs } = await import("@llm/tensor");
useFastCodecs(nativeCodecs); // as the command line does

const [path, folder, precision] = process.argv.slice(2);
let peak = before;
const timer = setInterval(() => note(), 10);
const start = performance.now();
const { config, weights, close } = await openCheckpoint(path);
const decoder = architectureFor(config).build(new Config(config), (name) => weights.get(name)?.shape);
const graph = transformersInterface(precision === "fp16" ? halfPrecision(decoder) : decoder, { cache: true });
const model = toOnnx(graph, { storage: storageOf(graph, weights) });
const { bytesWritten } = await writeOnnx(model, { folder, name: "model", source: weights });
const seconds = (performance.now() - start) / 1000;
clearInterval(timer);
note();
await close();
console.log(
  JSON.stringify({
    seconds,
    resident: (peak.resident - before.resident) / 1e6,
    anonymous: (peak.anonymous - before.anonymous) / 1e6,
    mapped: (peak.mapped - before.mapped) / 1e6,
    written: bytesWritten / 1e6,
    speed: bytesWritten / 1e6 / seconds,
  }),
);

function note(): void {
  const now = resident();
  peak = {
    resident: Math.max(peak.resident, now.resident),
    anonymous: Math.max(peak.anonymous, now.anonymous),
    mapped: Math.max(peak.mapped, now.mapped),
  };
}

interface Resident {
  readonly resident: number;
  readonly anonymous: number;
  readonly mapped: number;
}

function resident(): Resident {
  const status = readFileSync("/proc/self/status", "utf8");
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  return { resident: bytes("VmRSS"), anonymous: bytes("RssAnon"), mapped: bytes("RssFile") };
}
