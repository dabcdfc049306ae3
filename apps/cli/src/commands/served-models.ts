import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ServedModel } from "@llm/server";
import { checkPlace, DEFAULT_MODEL, findTarget, Generator, type GeneratorOptions, planModel } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { openProgress } from "./open-progress.ts";
import { runnableOptions, thingOf } from "./runnable-options.ts";
import { type ServedNames, servedNames } from "./served-names.ts";

/** Requests that run at once where nothing is said; more wait. */
export const SLOTS = 8;

/** What is said of MODEL alone. */
type Extras = Pick<GeneratorOptions, "config" | "revision" | "lora" | "tokenizer" | "draftModel" | "adapters">;

/** What `llm serve` serves: MODEL with what belongs to it alone, then those beside it. */
export async function servedModels(call: Call, io: Io): Promise<readonly [ServedModel, ...ServedModel[]]> {
  const first = thingOf(call) ?? DEFAULT_MODEL;
  const { slots: batchSize = SLOTS, also = [], alias = [], speculate } = call.options;
  const { config, revision, lora, tokenizer, draftModel, ...common } = runnableOptions(call, io);
  const { signal: _, ...shared } = { ...common, batchSize }; // what is being opened goes on while answers are finished
  const adapters = adapterFolders(call.options.adapter ?? []);
  const own: Extras = given({ config, revision, lora, tokenizer, draftModel, adapters });
  await checkPlace(first, { ...common, ...given({ revision }) });
  for (const name of [...also, ...(draftModel === undefined ? [] : [draftModel])]) await checkPlace(name, common);
  const [named, ...beside] = servedNames([first, ...also], alias, Object.keys(adapters ?? {}));
  const model = ({ given: place, ...names }: ServedNames, extras: Extras = {}): ServedModel => ({
    ...names,
    ...(speculate || extras.draftModel !== undefined ? { options: { speculate: true } } : {}),
    variants: Object.keys(extras.adapters ?? {}).map((name) => ({ id: name, options: { adapter: name } })),
    open: (signal) =>
      Generator.fromPretrained(place, { ...shared, ...extras, signal, onEvent: openProgress(io.progress) }),
    bytes: async (signal) => {
      const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
      const planned = { ...shared, signal, targetOptions: call.targetOptions };
      const plans = await Promise.all([
        planModel(place, target, { ...planned, ...given({ config: extras.config, revision: extras.revision }) }),
        ...(extras.draftModel === undefined ? [] : [planModel(extras.draftModel, target, planned)]),
      ]);
      const devices = plans.flatMap(({ plan }) => plan.devices);
      const beside = Object.values(extras.adapters ?? {}).map(adapterBytes);
      return [...devices.map(({ weights, kv }) => weights + kv), ...beside].reduce((sum, each) => sum + each, 0);
    },
  });
  return [model(named!, own), ...beside.map((names) => model(names))];
}

/** Those of some options that were said. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof given<T>
  >;
}

/** What an adapter's matrices take. */
function adapterBytes(folder: string): number {
  const files = ["adapter_model.safetensors", "adapter_model.bin"].map((name) => join(folder, name));
  const file = files.find((path) => existsSync(path));
  return file === undefined ? 0 : statSync(file).size; // that it lacks one is said when it is opened
}

/** The folders of `--adapter NAME=DIR`, by name; nothing where there is none. */
function adapterFolders(given: readonly string[]): Extras["adapters"] {
  const folders: Record<string, string> = {};
  for (const one of given) {
    const [, name, folder] = /^([^=]+)=(.+)$/s.exec(one) ?? [];
    if (name === undefined || folder === undefined)
      throw new UsageError(`--adapter ${one}: give a name and a folder, as in --adapter sql=./sql-lora`);
    if (Object.hasOwn(folders, name))
      throw new UsageError(`--adapter ${one}: ${name} is the name of another adapter; choose another`);
    if (!existsSync(folder)) throw new UsageError(`--adapter ${one}: there is no folder ${folder}`);
    folders[name] = folder;
  }
  return given.length === 0 ? undefined : folders;
}
