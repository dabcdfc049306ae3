import { createHash } from "node:crypto";
import { canonicalJson } from "../canonical-json.ts";
import type { Json, ToolVersions, Unit } from "../target.ts";

export interface KeyInputs {
  readonly target: string;
  readonly tools: ToolVersions;
  /** The weight source's fingerprint: it counts for units that have weights. */
  readonly source: string;
}

/**
 * The content key of every unit: SHA-256 over all that shapes its bytes, and nothing else. Units must be in order (see
 * `orderUnits`), because a key holds those of the units before it.
 */
export function unitKeys(ordered: readonly Unit[], inputs: KeyInputs): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const unit of ordered) keys.set(unit.id, unitKey(unit, inputs, keys));
  return keys;
}

function unitKey(unit: Unit, { target, tools, source }: KeyInputs, keys: ReadonlyMap<string, string>): string {
  const content: Json = {
    target,
    kind: unit.kind,
    spec: unit.spec,
    makes: unit.makes,
    tools: Object.fromEntries(unit.needs.tools.map((name) => [name, tools[name] ?? "absent"])),
    weights: unit.weights.length === 0 ? null : { source, of: unit.weights as unknown as Json },
    // By name, because a unit asks for its inputs by name.
    after: unit.after.map((id) => [id, keys.get(id)!]),
  };
  return createHash("sha256").update(canonicalJson(content)).digest("hex");
}
