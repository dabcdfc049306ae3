import type { MeshChoice, MeshPlan } from "@llm/toolchain";
import { meshText } from "@llm/toolchain";
import { bytes } from "../output/units.ts";

/** The fields that a plan's `--json` document has besides, where a mesh was asked for. */
export function meshFields({ chosen, plans }: MeshChoice): object {
  return {
    mesh: meshText((chosen ?? plans[0]!).mesh),
    meshes: plans.map((plan) => {
      const { fits, talksPerToken, stepSeconds, chunkSeconds, tokensPerSecond } = plan;
      return {
        mesh: meshText(plan.mesh),
        fits,
        ...most(plan),
        talksPerToken,
        stepSeconds,
        chunkSeconds,
        tokensPerSecond,
      };
    }),
  };
}

/** All meshes that were planned, a line each, the chosen one marked. */
export function meshTable({ chosen, plans }: MeshChoice): readonly string[] {
  const head = ["", "mesh", "devices", "weights", "cache", "told a token", "step", "tokens/s", ""];
  const rows = plans.map((plan) => {
    const { dp, mp, pp } = plan.mesh;
    const { weights, kv, toldPerToken } = most(plan);
    return [
      plan === chosen ? "→" : "",
      meshText(plan.mesh),
      String(dp * mp * pp),
      bytes(weights),
      bytes(kv),
      bytes(toldPerToken),
      `${(plan.stepSeconds * 1e3).toFixed(1)} ms`,
      plan.tokensPerSecond.toFixed(1),
      plan.fits ? "" : "does not fit",
    ];
  });
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i < 2 || i === cells.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

/** What the fullest device of a mesh has, and the one that is told most. */
function most({ shards }: MeshPlan) {
  const largest = (of: (shard: MeshPlan["shards"][number]) => number) => Math.max(...shards.map(of));
  return {
    weights: largest(({ weights }) => weights),
    kv: largest(({ kv }) => kv),
    toldPerToken: largest(({ toldPerToken }) => toldPerToken),
    toldPerChunk: largest(({ toldPerChunk }) => toldPerChunk),
  };
}
