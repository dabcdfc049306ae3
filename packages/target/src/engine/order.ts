import { TargetError } from "../error.ts";
import type { Unit } from "../target.ts";

/** Units so that each comes after those it needs, else in the order given; refuses what can't be ordered or would escape. */
export function orderUnits(units: readonly Unit[]): readonly Unit[] {
  const byId = new Map<string, Unit>();
  for (const unit of units) {
    if (byId.has(unit.id)) throw new TargetError("unit-invalid", `two units are called ${unit.id}`);
    checkNames(unit);
    byId.set(unit.id, unit);
  }
  const state = new Map<string, "open" | "done">();
  const ordered: Unit[] = [];
  const visit = (unit: Unit): void => {
    if (state.get(unit.id) === "done") return;
    if (state.get(unit.id) === "open") throw new TargetError("unit-invalid", `unit ${unit.id} waits for itself`);
    state.set(unit.id, "open");
    for (const id of unit.after) {
      const needed = byId.get(id);
      if (!needed) throw new TargetError("unit-invalid", `unit ${unit.id} comes after ${id}, which doesn't exist`);
      visit(needed);
    }
    state.set(unit.id, "done");
    ordered.push(unit);
  };
  for (const unit of units) visit(unit);
  return ordered;
}

/** Where a unit's files go in the artefact; undefined when they don't. */
export function placeOf(unit: Unit): string | undefined {
  return unit.place === null ? undefined : (unit.place ?? unit.id);
}

function checkNames(unit: Unit): void {
  if (unit.id === "") throw new TargetError("unit-invalid", "a unit has no name");
  const names = [...unit.makes, ...(unit.place ? [unit.place] : [])];
  if (unit.place === undefined) names.push(unit.id);
  for (const name of names)
    if (!isInside(name))
      throw new TargetError("unit-invalid", `unit ${unit.id}: "${name}" is no path inside its folder`);
  if (unit.place === "" && unit.makes.includes("manifest.json"))
    throw new TargetError("unit-invalid", `unit ${unit.id} would overwrite the artefact's manifest.json`);
}

/** Relative, with forward slashes, and nowhere up. */
export function isInside(path: string): boolean {
  return (
    path !== "" && path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\0]/.test(part))
  );
}
