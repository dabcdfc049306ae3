import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Artefact, type Json, TargetError, type Unit, type Work } from "@llm/target";
import { madeWith } from "../made-with.ts";
import { type CompilePlan, planCompile } from "./compile-plan.ts";
import { compileIn, KIT_FOLDER, kitAdvice, writeKit } from "./compile-qpc.ts";
import { type ModelFiles, readModel } from "./compiled-model.ts";
import { compilerOf, findSdk, type InstalledSdk } from "./sdk.ts";
import { PROFILES } from "./sdk-profiles.ts";
import type { CompileSettings } from "./settings.ts";
import { KIT_SCRIPT } from "./write-plan.ts";

export const QPC_KIND = "aic100-qpc@2";
export const KIT_KIND = "aic100-kit@1";

/** The unit that exports the graph, and the ONNX file that it makes. */
export interface ExportedGraph {
  readonly unit: string;
  readonly file: string;
}

interface QpcSpec {
  readonly settings: CompileSettings;
  readonly exported: ExportedGraph;
}

/** The unit that compiles an exported graph; without an SDK, the one that gets everything ready for where there is one. */
export function qpcUnit(
  settings: CompileSettings,
  exported: ExportedGraph,
  sdk: InstalledSdk | undefined = findSdk(),
): Unit {
  const isHere = compilerOf(settings.profile, sdk) !== undefined;
  const spec: QpcSpec = { settings, exported };
  return {
    id: isHere ? "qpc" : "compile_kit",
    kind: isHere ? QPC_KIND : KIT_KIND,
    stage: "compile",
    spec: spec as unknown as Json,
    weights: [],
    after: [exported.unit],
    makes: isHere ? [] : [KIT_SCRIPT],
    needs: { ramBytes: 0, diskBytes: 0, cores: 1, tools: isHere ? [PROFILES[settings.profile].program] : [] },
    place: isHere ? "" : KIT_FOLDER,
  };
}

/** Makes such a unit. */
export async function buildQpcUnit(unit: Unit, work: Work): Promise<void> {
  const { settings, exported } = unit.spec as unknown as QpcSpec;
  const model = await readModel(join(work.input(exported.unit), exported.file));
  const plan = planCompile(settings, model);
  if (unit.kind === KIT_KIND) {
    await writeKit(plan, model, work.folder);
    linkWeights(plan, model, work);
    return;
  }
  const compiler = compilerOf(settings.profile, findSdk());
  if (compiler === undefined)
    throw new TargetError("tool-missing", `${plan.program} was here and is gone: install the SDK again`);
  let lines = 0;
  const { peakRssBytes } = await compileIn({
    compiler,
    plan,
    model,
    folder: work.folder,
    signal: work.signal,
    onLine: (line) => work.progress(++lines, lines + 1, line.slice(0, 200)),
  });
  work.measured(peakRssBytes);
  await removeModel(plan, model, work.folder);
}

/** A kit's weights are the export's own files, of which hashing takes longer than anything else here. */
function linkWeights({ paths }: CompilePlan, { onnx, weights }: ModelFiles, work: Work): void {
  for (const file of weights) work.linked(join(dirname(paths.model), file), join(dirname(onnx), file));
}

/** The graph lies in the artefact already, as its export. */
async function removeModel({ paths }: CompilePlan, { weights }: ModelFiles, folder: string): Promise<void> {
  const beside = dirname(paths.model);
  for (const path of [paths.model, ...weights.map((file) => join(beside, file))]) await rm(join(folder, path));
  if (beside !== "." && (await readdir(join(folder, beside))).length === 0)
    await rm(join(folder, beside), { recursive: true });
}

/** What is left to do with an artefact that has a kit where a QPC would be. */
export function unfinishedKit(artefact: Artefact): string | undefined {
  const { folder, manifest } = artefact;
  if (!manifest.files.some(({ path }) => path === `${KIT_FOLDER}/${KIT_SCRIPT}`)) return undefined;
  const { sdk } = madeWith(artefact);
  const profile = Object.hasOwn(PROFILES, sdk ?? "") ? PROFILES[sdk as keyof typeof PROFILES] : PROFILES["1.22"];
  return kitAdvice(profile, join(folder, KIT_FOLDER));
}
