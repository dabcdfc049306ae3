import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ServedModel } from "@llm/server";
import { DEFAULT_MODEL, findTarget, Generator, planModel, resolveModel } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { modelOptions } from "./model-options.ts";
import { openProgress } from "./open-progress.ts";

/** Requests that run at once where nothing is said; more wait. */
export const SLOTS = 8;

/** What belongs to MODEL alone. */
interface Extras {
  readonly lora?: string;
  readonly draftModel?: string;
  readonly adapters?: Readonly<Record<string, string>>;
}

/** What `llm serve` serves: MODEL with what belongs to it alone, then those beside it. */
export async function servedModels(call: Call, io: Io): Promise<readonly [ServedModel, ...ServedModel[]]> {
  const { model: first = DEFAULT_MODEL } = call.args;
  const { slots: batchSize = SLOTS, also = [], lora, draftModel, speculate } = call.options;
  const { lora: _, ...common } = modelOptions(call, io);
  const shared = {
    ...common,
    ...(call.target === undefined ? {} : { target: call.target }),
    targetOptions: call.targetOptions,
    env: io.env,
    batchSize,
  };
  const adapters = adapterFolders(call.options.adapter ?? [], [first, ...also]);
  const own: Extras = {
    ...(lora === undefined ? {} : { lora }),
    ...(draftModel === undefined ? {} : { draftModel }),
    ...(adapters === undefined ? {} : { adapters }),
  };
  for (const name of [first, ...also, ...(draftModel === undefined ? [] : [draftModel])])
    await checkPlace(name, common);
  const model = (id: string, extras: Extras = {}): ServedModel => ({
    id,
    ...(speculate || extras.draftModel !== undefined ? { options: { speculate: true } } : {}),
    variants: Object.keys(extras.adapters ?? {}).map((name) => ({ id: name, options: { adapter: name } })),
    open: () => Generator.fromPretrained(id, { ...shared, ...extras, onEvent: openProgress(io.progress) }),
    bytes: async () => {
      const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
      const names = extras.draftModel === undefined ? [id] : [id, extras.draftModel];
      const plans = await Promise.all(names.map((name) => planModel(name, target, shared)));
      const devices = plans.flatMap(({ plan }) => plan.devices);
      const beside = Object.values(extras.adapters ?? {}).map(adapterBytes);
      return [...devices.map(({ weights, kv }) => weights + kv), ...beside].reduce((sum, each) => sum + each, 0);
    },
  });
  return [model(first, own), ...also.map((id) => model(id))];
}

/** Refuses what is no name of the hub's and isn't on the disk; what the hub has is known once it is fetched. */
async function checkPlace(name: string, options: ReturnType<typeof modelOptions>): Promise<void> {
  await resolveModel(name, { ...options, offline: true, want: "config" }).catch(
    (error: { readonly code?: unknown }) => {
      if (error.code === "model-not-found") throw error;
    },
  );
}

/** What an adapter's matrices take. */
function adapterBytes(folder: string): number {
  const file = join(folder, "adapter_model.safetensors");
  return existsSync(file) ? statSync(file).size : 0; // that it lacks one is said when it is opened
}

/** The folders of `--adapter NAME=DIR`, by name; nothing where there is none. */
function adapterFolders(given: readonly string[], models: readonly string[]): Extras["adapters"] {
  const folders: Record<string, string> = {};
  for (const one of given) {
    const [, name, folder] = /^([^=]+)=(.+)$/s.exec(one) ?? [];
    if (name === undefined || folder === undefined)
      throw new UsageError(`--adapter ${one}: give a name and a folder, as in --adapter sql=./sql-lora`);
    if (models.includes(name) || Object.hasOwn(folders, name))
      throw new UsageError(`--adapter ${one}: ${name} is the name of something else that is served; choose another`);
    if (!existsSync(folder)) throw new UsageError(`--adapter ${one}: there is no folder ${folder}`);
    folders[name] = folder;
  }
  return given.length === 0 ? undefined : folders;
}
