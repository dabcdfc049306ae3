import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildArtefact } from "@llm/target/engine";
import { memorySource } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { readBmodel } from "../bmodel/read-bmodel.ts";
import type { Bm1684xMode } from "../options.ts";
import { planBm1684x } from "../plan/plan.ts";
import { buildModel, requestFor } from "../testing/build-model.ts";
import { FAMILIES, MPT } from "../testing/families.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { missingToolchain } from "../testing/toolchain.ts";
import { requireToolchain } from "../tools/toolchain.ts";
import { compileNet } from "./compile-net.ts";
import { bmodelName } from "./file-name.ts";

const missing = missingToolchain();
const script = fileURLToPath(new URL("../testing/build-slowly.ts", import.meta.url));

test.skipIf(missing)(
  `weights of a block's two nets are stored once${missing ? `: ${missing}` : ""}`,
  async () => {
    const options = optionsOf({ mode: "int8", ctxLen: 16, name: "tiny" });
    using built = await buildModel(randomModel(FAMILIES.qwen2!, 5), options);
    const { folder, manifest } = built.artefact;
    expect(readdirSync(folder).sort()).toEqual(["manifest.json", "nets.json", "tiny_int8_1dev.bmodel"]);
    const parameters = 2 * 320 * 256 + 2 * (256 * 256 * 2 + 256 * 128 * 2 + 3 * 256 * 512); // the table is tied, and both are there
    const bytes = statSync(join(folder, "tiny_int8_1dev.bmodel")).size;
    const kernel = 5_600_000; // the chip's program, in every bmodel
    expect(bytes).toBeGreaterThan(kernel + parameters);
    expect(bytes).toBeLessThan(kernel + 1.7 * parameters);
    for (const { id, peakRssBytes, peakDiskBytes } of manifest.units) {
      expect(peakRssBytes, id).toBeGreaterThan(10e6);
      expect(peakDiskBytes, id).toBeGreaterThan(kernel);
    }
    const block = manifest.units.find(({ id }) => id === "block_0")!;
    const made = 200_000 + 3 * 256 * 512; // in 8 bits
    expect(block.peakDiskBytes, "arrays as they are read and as they are written").toBeGreaterThan(kernel + 2 * made);
  },
  120_000,
);

describe.skipIf(missing)("what was planned is what the compiler reports, within 5 %", () => {
  const models: typeof FAMILIES = { ...FAMILIES, mpt: MPT };

  test.for<readonly [family: string, mode: Bm1684xMode, seqLength: number, mesh: string]>([
    ["gpt2", "F16", 64, "1x1"],
    ["llama", "int4", 64, "1x1"],
    ["falcon", "int8", 16, "1x1"],
    ["mpt", "F16", 16, "1x1"], // its blocks calculate with positions: their arrays are to be stored once, too
    ["gpt_bigcode", "int4", 16, "1x2"],
  ])("%s in %s, %s tokens, as %s", async ([family, mode, seqLength, mesh]) => {
    const model = randomModel(models[family]!, 5);
    const options = optionsOf({ mode, ctxLen: seqLength, mesh, name: "tiny" });
    using built = await buildModel(model, options);
    const { folder, manifest } = built.artefact;
    const { devices } = planBm1684x(model.graph, options);
    for (const [i, { weights, activations }] of devices.entries()) {
      const file = bmodelName({ ...options, numDevice: devices.length }, family, i);
      expect(manifest.files.map(({ path }) => path)).toContain(file);
      const { memory } = await readBmodel(join(folder, file));
      expect(weights / memory.weights, file).toBeGreaterThan(0.95);
      expect(weights / memory.weights, file).toBeLessThan(1.05);
      // Inputs and outputs that lie apart are no part of what the compiler's tool adds up.
      const reported = memory.total - memory.io;
      expect((weights + activations) / reported, file).toBeGreaterThan(0.95);
      expect((weights + activations) / reported, file).toBeLessThan(1.05);
    }
  });
});

test.skipIf(missing)(
  `killed in the middle, the next run makes only what had not finished${missing ? `: ${missing}` : ""}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-killed-"));
    try {
      const done = await killedAfter(folder, 3);
      const kept: string[] = [];
      const model = randomModel(FAMILIES.gpt2!, 3);
      await buildArtefact({
        ...requestFor(model, optionsOf({ mode: "int4", ctxLen: 16 }), folder),
        onEvent: (event) => {
          if (event.kind === "finished" && event.cached) kept.push(event.unit);
        },
      });
      expect(kept.sort()).toEqual(done.sort());
      expect(readdirSync(join(folder, "cache", "work"))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

/** Starts a build and kills it, children and all, as soon as `count` units are done; gives back which. */
function killedAfter(folder: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [script, folder], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const done: string[] = [];
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => (done.length < count ? reject(new Error("ended early")) : resolve(done)));
    child.stdout.on("data", (chunk: Buffer) => {
      done.push(
        ...chunk
          .toString()
          .trim()
          .split("\n")
          .map((line) => line.split(" ")[0]!),
      );
      if (done.length >= count) process.kill(-child.pid!, "SIGKILL");
    });
  });
}

test.skipIf(missing)("a weight that is not there is named", async () => {
  const { graph } = randomModel(FAMILIES.gpt2!, 3);
  const folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-refused-"));
  try {
    const request = requestFor({ graph, source: memorySource({}) }, optionsOf({ ctxLen: 16 }), folder);
    await expect(buildArtefact(request)).rejects.toThrow(/wte\.weight/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.skipIf(missing)("what the compiler gives up on is said in its own words, in one line", async () => {
  const folder = mkdtempSync(join(tmpdir(), "llm-bm1684x-refused-"));
  try {
    writeFileSync(join(folder, "net.mlir"), "module {");
    const settings = { numbers: "F16", halfInputs: true, halfOutputs: true, ioAlone: false } as const;
    await expect(compileNet(requireToolchain(), folder, "net", settings)).rejects.toThrow(/^tpuc-opt: .*expected .*$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
