import { flagName, type Json, type OptionDef, type Target } from "@llm/target";
import { ToolchainError } from "./error.ts";
import { targetOptions } from "./target-options.ts";

/**
 * Refuses what was said of an artefact that it was made otherwise with: nothing of it would be heard, and somebody who measures
 * int4 would measure float32. What may differ is left to the target, and of others' files nothing is known.
 */
export function checkFinished(
  thing: string,
  target: Pick<Target, "id" | "options" | "defaults">,
  made: Json,
  given: Readonly<Record<string, unknown>> = {},
): void {
  const was = (made ?? {}) as Readonly<Record<string, unknown>>;
  const table = target.options as Readonly<Record<string, OptionDef<unknown>>>;
  const said = targetOptions<Readonly<Record<string, unknown>>>(target, given);
  for (const name of optionsSaid(table, given)) {
    if (!isFixed(table[name]!) || !Object.hasOwn(was, name)) continue;
    if (said[name] === "auto" || same(said[name], was[name])) continue;
    const flag = `--${flagName(name, table[name])}`;
    throw new ToolchainError(
      "option-invalid",
      `${thing} is finished, and was made ${how(flag, was[name])}, not ${how(flag, said[name])}: leave that out, or give the checkpoint it was made from`,
    );
  }
}

/** Keys of the options that something was said of, in whatever words. */
function optionsSaid(
  table: Readonly<Record<string, OptionDef<unknown>>>,
  given: Readonly<Record<string, unknown>>,
): ReadonlySet<string> {
  const said = Object.keys(table).filter((name) => given[name] !== undefined);
  // Of a flag that stands for a value, its absence says nothing.
  return new Set(
    said.flatMap((name) => (table[name]!.says ? (given[name] === false ? [] : [table[name]!.says]) : [name])),
  );
}

/** Of lasting settings, those that opening something finished goes by; it was made before the others could say how. */
export function notFixed(
  target: Pick<Target, "options">,
  given: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const table = target.options as Readonly<Record<string, OptionDef<unknown>>>;
  const open = Object.entries(given).filter(([name]) => Object.hasOwn(table, name) && !isFixed(table[name]!));
  return Object.fromEntries(open);
}

function isFixed({ shapes, mayDiffer }: OptionDef<unknown>): boolean {
  return shapes && !mayDiffer;
}

function same(said: unknown, was: unknown): boolean {
  return JSON.stringify(settled(said)) === JSON.stringify(settled(was));
}

/** What was not said, and an empty list, are the same. */
function settled(value: unknown): unknown {
  return value === undefined || (Array.isArray(value) && value.length === 0) ? null : value;
}

function how(flag: string, value: unknown): string {
  if (settled(value) === null || value === false) return `without ${flag}`;
  return value === true ? `with ${flag}` : `with ${flag} ${String(value)}`;
}
