import { ToolchainError } from "./error.ts";
import { DEFAULT_TARGET, type OpenOptions } from "./open-runnable.ts";
import { checkPlace, type ResolveOptions } from "./resolve-model.ts";
import { findTarget } from "./targets.ts";

export interface GeneratorOptions extends OpenOptions {
  /** A smaller MODEL with the same tokenizer, that guesses what the larger one will say, unless a call says `speculate: false`. */
  readonly draftModel?: string;
}

/** All there are: the type holds this list to be complete. */
const KNOWN: Readonly<Record<keyof GeneratorOptions | keyof Pick<ResolveOptions, "onProgress">, true>> = {
  adapters: true,
  batchSize: true,
  cacheDir: true,
  config: true,
  defaultTarget: true,
  draftModel: true,
  env: true,
  force: true,
  hashes: true,
  lora: true,
  mesh: true,
  needsTokenizer: true,
  offline: true,
  onEvent: true,
  onProgress: true, // of a tokenizer that is fetched
  revision: true,
  sample: true,
  signal: true,
  target: true,
  targetOptions: true,
  targetSettings: true,
  token: true,
  tokenizer: true,
  verify: true,
};

/**
 * Refuses what would be passed over in a program without types: names that aren't options, and adapters without names; and a
 * draft model that is nowhere, before the larger one is fetched.
 */
export async function checkGeneratorOptions(options: GeneratorOptions): Promise<void> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const unknown = given.map(([name]) => name).find((name) => !Object.hasOwn(KNOWN, name));
  if (unknown !== undefined) throw new ToolchainError("option-invalid", await whatInstead(unknown, options));
  const { adapters = {} } = options;
  const isNamed = typeof adapters === "object" && adapters !== null && !Array.isArray(adapters);
  if (!isNamed || Object.values(adapters).some((folder) => typeof folder !== "string"))
    throw new ToolchainError("option-invalid", "adapters are folders by name: adapters: { sql: FOLDER }");
  const { draftModel, cacheDir } = options;
  if (draftModel !== undefined) await checkPlace(draftModel, cacheDir === undefined ? {} : { cacheDir });
}

async function whatInstead(name: string, { target: id = DEFAULT_TARGET }: GeneratorOptions): Promise<string> {
  const { target } = await findTarget(id);
  if (Object.hasOwn(target.options as object, name))
    return `${name} is an option of target ${target.id}: say targetOptions: { ${name} }`;
  return `there is no option ${name}; there are: ${Object.keys(KNOWN).join(", ")}`;
}
