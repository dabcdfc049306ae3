import type { Graph } from "@llm/core-ir";
import { type Choice, choiceCalled, flagName, type OptionDef, type OptionTable, type Target } from "@llm/target";
import { formatName, type WeightSource } from "@llm/tensor";
import { ToolchainError } from "./error.ts";

/**
 * A target's options with its defaults filled in, those that the model decides too where it is given. Values are checked
 * against the target's own table, so that a program gets the same one-line errors as a shell.
 */
export function targetOptions<O>(
  target: Pick<Target<O>, "id" | "options" | "defaults">,
  given: Readonly<Record<string, unknown>> = {},
  model?: Graph,
): O {
  const table = target.options as Readonly<Record<string, OptionDef<unknown>>>;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(table, name));
  if (unknown !== undefined) {
    const known = Object.keys(table).join(", ") || "none";
    throw new ToolchainError("option-invalid", `target ${target.id} has no option ${unknown}; it has: ${known}`);
  }
  const instead = (target.defaults?.(given as Partial<O>, model) ?? {}) as Readonly<Record<string, unknown>>;
  const options: Record<string, unknown> = {};
  for (const [name, def] of Object.entries(table)) {
    const said = given[name] ?? instead[name] ?? def.default;
    if (said === undefined) continue;
    const value = typeof said === "string" ? ownName(def, said) : said;
    const wrong = problem(def, value);
    if (wrong)
      throw new ToolchainError("option-invalid", `target ${target.id}: ${name} ${wrong} (--${flagName(name, def)})`);
    options[name] = value;
  }
  return options as O;
}

function ownName(def: OptionDef<unknown>, text: string): string {
  if (def.kind === "choice") return choiceCalled(def, text) ?? text;
  return def.numberFormat ? formatName(text) : text;
}

/** A target's options for a model, with nothing left open, and what the user should know of the choices made. */
export function chosenOptions<O>(
  target: Target<O>,
  { graph, weights }: { readonly graph: Graph; readonly weights: Pick<WeightSource, "get"> },
  given: Readonly<Record<string, unknown>> = {},
): Choice<O> {
  const options = targetOptions(target, given, graph);
  return target.choose?.(graph, options, weights) ?? { options, notes: [] };
}

/** Those of `given` that the target has: what a caller wants of any target that can. */
export function optionsOf<O>(
  target: { readonly options: OptionTable<O> },
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== undefined && Object.hasOwn(target.options, name)),
  );
}

function problem(def: OptionDef<unknown>, value: unknown): string | undefined {
  const { kind, choices, min, max, whole } = def;
  switch (kind) {
    case "number":
      if (typeof value !== "number" || !Number.isFinite(value)) return `is a number, not ${JSON.stringify(value)}`;
      if (whole && !Number.isSafeInteger(value)) return `is a whole number, not ${value}`;
      if (min !== undefined && value < min) return `is at least ${min}, not ${value}`;
      return max !== undefined && value > max ? `is at most ${max}, not ${value}` : undefined;
    case "boolean":
      return typeof value === "boolean" ? undefined : `is true or false, not ${JSON.stringify(value)}`;
    case "choice":
      return choices?.includes(value as string)
        ? undefined
        : `is one of ${choices?.join(", ")}, not ${JSON.stringify(value)}`;
    case "list": {
      if (!Array.isArray(value)) return `is a list, not ${JSON.stringify(value)}`;
      const wrong = whole ? value.map((item) => problem({ ...def, kind: "number" }, item)) : [];
      const first = wrong.find((one) => one !== undefined);
      return first && `is a list of which each item ${first}`;
    }
    case "string":
      return typeof value === "string" ? undefined : `is a text, not ${JSON.stringify(value)}`;
  }
}
