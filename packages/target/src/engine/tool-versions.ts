import type { Target, ToolVersions, Unit } from "../target.ts";

/** Versions of the programs that these units need, as far as the target knows them; it is asked only where there are any. */
export function toolVersions(target: Pick<Target<never>, "tools">, units: readonly Unit[]): ToolVersions {
  const needed = new Set(units.flatMap(({ needs }) => needs.tools));
  const here = needed.size > 0 ? (target.tools?.() ?? {}) : {};
  return Object.fromEntries(Object.entries(here).filter(([name]) => needed.has(name)));
}
