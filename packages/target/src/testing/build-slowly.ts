import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildArtefact } from "../engine/index.ts";
import { nullTarget } from "../null/index.ts";
import type { Target, Unit } from "../target.ts";
import { twoNets } from "./two-nets.ts";

/** Builds six slow units below the folder given, and says how far it is: to be killed on the way. */
const root = process.argv[2]!;
const units = Array.from(
  { length: 6 },
  (_, i): Unit => ({
    id: `u${i}`,
    kind: "slow@1",
    stage: "export",
    spec: i,
    weights: [],
    after: i === 0 ? [] : [`u${i - 1}`],
    makes: ["text"],
    needs: { ramBytes: 0, diskBytes: 0, cores: 1, tools: [] },
  }),
);
const target: Target = {
  ...(nullTarget as Target),
  units: () => units,
  async build(unit, work) {
    await writeFile(join(work.folder, "text"), unit.id);
    work.progress(1, 2);
    await new Promise((resolve) => setTimeout(resolve, 150));
  },
};

await buildArtefact({
  ...twoNets(),
  target,
  options: {},
  folder: join(root, "artefact"),
  cacheDir: join(root, "cache"),
  onEvent: (event) => {
    if (event.kind === "planned") process.stdout.write(`cached ${event.cached} of ${event.units}\n`);
    if (event.kind === "progress") process.stdout.write(`working on ${event.unit}\n`);
  },
});
