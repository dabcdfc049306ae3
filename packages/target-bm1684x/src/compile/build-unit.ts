import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseGraph } from "@llm/core-ir";
import { TargetError, type Unit, type Work } from "@llm/target";
import { undateBmodel } from "../bmodel/read-bmodel.ts";
import { npzArrays } from "../npz/array-bytes.ts";
import { writeNpz } from "../npz/write-npz.ts";
import { runTool } from "../tools/run-tool.ts";
import { requireToolchain } from "../tools/toolchain.ts";
import { toTop } from "../top/to-top.ts";
import { compileNet } from "./compile-net.ts";
import { NETS_FILE } from "./nets-file.ts";
import { buildOnnx, ONNX_KIND } from "./onnx-units.ts";
import { JOIN_KIND, type JoinSpec, NET_KIND, type NetSpec } from "./units.ts";

/** Makes one unit: a net's bmodel, or the one file of all of them. */
export async function buildUnit(unit: Unit, work: Work): Promise<void> {
  if (unit.kind === ONNX_KIND) return buildOnnx(unit, work);
  if (unit.kind === NET_KIND) await buildNet(unit.spec as unknown as NetSpec, work);
  else if (unit.kind === JOIN_KIND) await joinNets(unit.spec as unknown as JoinSpec, work);
  else throw new TargetError("unit-invalid", `bm1684x makes no units of kind ${unit.kind}`);
  await keepOnly(work.folder, unit.makes);
}

async function buildNet({ graph, name, inputs, outputs, settings }: NetSpec, work: Work): Promise<void> {
  const { folder, source, signal } = work;
  const toolchain = requireToolchain();
  const weightFile = `${name}.npz`;
  const { text, arrays } = toTop(parseGraph(graph), { name, weightFile, inputs, outputs });
  await writeNpz(join(folder, weightFile), npzArrays(arrays, source), signal);
  await writeFile(join(folder, `${name}.mlir`), text);
  const { peakRssBytes, peakDiskBytes } = await compileNet(toolchain, folder, name, settings, signal);
  work.measured(peakRssBytes, peakDiskBytes);
}

/** Equal weights of two nets, of which every block has two, are stored once. */
async function joinNets({ file, parts, list }: JoinSpec, work: Work): Promise<void> {
  const toolchain = requireToolchain();
  const paths = parts.map((part) => join(work.input(part.unit), part.file));
  const { peakRssBytes } = await runTool(toolchain, "model_tool", {
    args: ["--combine", ...paths, "-o", join(work.folder, file)],
    folder: work.folder,
    signal: work.signal,
  });
  await undateBmodel(join(work.folder, file));
  if (list) await writeFile(join(work.folder, NETS_FILE), `${JSON.stringify(list, undefined, 2)}\n`);
  work.measured(peakRssBytes);
}

/** The compiler leaves much behind that nobody reads again. */
async function keepOnly(folder: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(folder))
    if (!names.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
}
