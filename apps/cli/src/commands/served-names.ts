import { existsSync, realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import { DEFAULT_MODEL } from "@llm/toolchain";
import { UsageError } from "../exit.ts";

/** What a served model is called. */
export interface ServedNames {
  /** The MODEL as it was given. */
  readonly given: string;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly unlisted: readonly string[];
}

/**
 * What `llm serve` calls its models: by `--alias`, else as they were given, which of a path is the last part alone: where
 * something lies on this machine is no client's affair. What a path was given as is understood all the same.
 *
 * @param aliases `NAME`, of the first model, or `NAME=MODEL`
 * @param taken names of something else: adapters
 */
export function servedNames(
  models: readonly string[],
  aliases: readonly string[],
  taken: readonly string[],
): readonly ServedNames[] {
  const places = models.map(placeOf);
  const twice = places.findIndex((place, i) => places.indexOf(place) < i);
  if (twice >= 0) throw new UsageError(`--also ${models[twice]}: that is MODEL already, or given twice; leave it out`);

  const chosen = models.map((): string[] => []);
  for (const alias of aliases) {
    const [, name, model] = /^([^=]+)(?:=(.+))?$/s.exec(alias) ?? [];
    const which = model === undefined ? 0 : places.indexOf(placeOf(model));
    if (name === undefined) throw new UsageError(`--alias ${alias}: give a name, or NAME=MODEL`);
    if (which < 0) throw new UsageError(`--alias ${alias}: ${model} isn't served; there is ${models.join(", ")}`);
    chosen[which]!.push(name);
  }

  const known = new Set(taken);
  const named = models.map((model, i) => {
    const own = ownName(model);
    const names = chosen[i]!.length > 0 ? chosen[i]! : [own];
    for (const name of names) {
      if (known.has(name))
        throw new UsageError(
          `${name} would be the name of two; choose another for ${model}, with --alias NAME=${model}`,
        );
      known.add(name);
    }
    return { given: model, names, others: [...new Set([own, model])] };
  });
  return named.map(({ given, names: [id, ...rest], others }) => {
    const unlisted = others.filter((name) => !known.has(name));
    for (const name of unlisted) known.add(name);
    return { given, id: id!, aliases: rest, unlisted };
  });
}

const isOnDisk = (model: string): boolean => model !== DEFAULT_MODEL && existsSync(model);

/** The same for two spellings of one path. */
const placeOf = (model: string): string => (isOnDisk(model) ? realpathSync(model) : model);

/** A model's own name: of what lies on this machine the last part of its path. */
const ownName = (model: string): string => (isOnDisk(model) ? basename(resolve(model)) : model);
