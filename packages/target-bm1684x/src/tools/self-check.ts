import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder } from "@llm/core-ir";
import { memorySource, weights } from "@llm/tensor";
import { compileNet, type NetSettings } from "../compile/compile-net.ts";
import { npzArrays } from "../npz/array-bytes.ts";
import { writeNpz } from "../npz/write-npz.ts";
import { toTop } from "../top/to-top.ts";
import type { Toolchain } from "./toolchain.ts";

const NAME = "self_check";
const WIDTH = 64;

/** Compiles a net of three ops: a compiler that can't find its libraries, or not its own, says so here. */
export async function selfCheck(toolchain: Toolchain, signal?: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "llm-bm1684x-"));
  try {
    const b = new Builder(NAME);
    const x = b.input("x", "f32", [1, 4, WIDTH]);
    const identity = Array.from({ length: WIDTH * WIDTH }, (_, i) => (i % (WIDTH + 1) === 0 ? 1 : 0));
    const w = b.as("w").weight(weights.constant("f32", [WIDTH, WIDTH], identity));
    b.output(b.add(x, b.activation(b.linear(x, w), "silu")), "y");
    const names = { name: NAME, weightFile: `${NAME}.npz`, inputs: ["x"], outputs: ["y"] };
    const { text, arrays } = toTop(b.finish(), names);
    await writeNpz(join(folder, names.weightFile), npzArrays(arrays, memorySource({})), signal);
    await writeFile(join(folder, `${NAME}.mlir`), text);
    const settings: NetSettings = { numbers: "F16", halfInputs: true, halfOutputs: true, ioAlone: false };
    const { bmodel } = await compileNet(toolchain, folder, NAME, settings, signal);
    await stat(bmodel);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
