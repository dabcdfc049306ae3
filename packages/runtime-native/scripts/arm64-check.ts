// Run by `try-arm64.ts` under an emulated processor: the addon loads there, and drives the stand-in for the vendor's libraries.
import { deepStrictEqual } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBmrt } from "../src/bmrt/index.ts";
import { addonStatus, cpuFeatures } from "../src/index.ts";

const [library] = process.argv.slice(2) as [string];
const folder = mkdtempSync(join(tmpdir(), "llm-arm64-"));
try {
  deepStrictEqual(addonStatus().state, "loaded", JSON.stringify(addonStatus()));
  deepStrictEqual(cpuFeatures(), { ...cpuFeatures(), arch: "arm64", source: "addon" });
  const bmodel = join(folder, "one.bmodel");
  writeFileSync(bmodel, "nets 1\nadd 2 1 4\n");
  const bmrt = await openBmrt({ libraries: { bmlib: library, bmrt: library }, isolated: false });
  const [net] = await bmrt.load(0, bmodel);
  deepStrictEqual(net!.stages[0]!.inputs[1]!.shape, [1, 4]);
  const buffer = await bmrt.allocate(0, 32);
  const [sum] = await bmrt.run([
    { do: "write", device: 0, to: [buffer, 0], data: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
    {
      do: "launch",
      device: 0,
      net: 0,
      stage: 0,
      inputs: [
        [buffer, 0],
        [buffer, 0],
      ],
      outputs: [[buffer, 16]],
    },
    { do: "read", device: 0, from: [buffer, 16], bytes: 16 },
  ]);
  deepStrictEqual([...new Float32Array(sum!.slice().buffer)], [2, 4, 6, 8]);
  await bmrt.close();
  process.stdout.write(`the addon works on ${process.arch}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
