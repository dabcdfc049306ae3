import { resolve } from "node:path";
import type { Graph } from "@llm/core-ir";
import type { GenerateOptions } from "@llm/generate";
import type { Artefact, ModelCard, Session, Target } from "@llm/target";
import { openArtefact } from "@llm/target/engine";
import { type Mesh, meshText, toMesh } from "@llm/target/mesh";
import type { Tokenizer } from "@llm/tokenizer-bpe";
import { ToolchainError } from "./error.ts";
import { findFinished } from "./find-finished.ts";
import { checkFinished, notFixed } from "./finished-options.ts";
import { artefactDefaults, generationDefaults } from "./generation-defaults.ts";
import { makeReady, type ReadyOptions, type StageReport } from "./make-ready.ts";
import { type AdapterFolders, openSession, optionsForAdapters } from "./open-session.ts";
import { isPack, unpack } from "./pack/unpack.ts";
import { optionsOf, targetOptions } from "./target-options.ts";
import { findTarget } from "./targets.ts";
import { openTokenizer, tokenizerOf } from "./tokenizer.ts";

export interface OpenOptions extends ReadyOptions {
  /** Whether a few tokens are checked against the reference on the way; not unless asked: a program wants its text. */
  readonly verify?: boolean;
  /** A target's id; an artefact says itself what it is for. */
  readonly target?: string;
  /** What a MODEL runs on where nobody says which; an artefact may be for another. */
  readonly defaultTarget?: string;
  /** Lasting settings, of any targets: those of the one that runs are used where `targetOptions` doesn't say otherwise. */
  readonly targetSettings?: Readonly<Record<string, unknown>>;
  /** How many sequences at once. */
  readonly batchSize?: number;
  /** How devices share the model: "2x2" or `{ dp, mp, pp }`; an artefact's own unless said. */
  readonly mesh?: string | Partial<Mesh>;
  /** LoRA adapters as PEFT saves them, by the name that requests choose them by: a folder each. */
  readonly adapters?: AdapterFolders;
  /** A MODEL whose tokenizer an artefact uses that brings none. */
  readonly tokenizer?: string;
}

/** Something to generate with, open on its device. */
export interface Runnable {
  readonly card: ModelCard;
  readonly target: Target;
  readonly session: Session;
  readonly stages: readonly StageReport[];
  readonly artefact: string;
  /** What the checkpoint's generation_config says; the ends of a text where only its config has them. */
  readonly defaults: GenerateOptions;
  readonly mesh: Mesh;
  /** The adapters that are loaded beside it, by name: `Row.adapter` of each. */
  readonly adapters: Readonly<Record<string, number>>;
  /** The model's own, before any pass; none where a finished artefact was opened. */
  readonly graph?: Graph;
  /** The same thing with some options changed, beside this one. */
  reopen(changed: OpenOptions): Promise<Runnable>;
  tokenizer(): Promise<Tokenizer>;
  close(): Promise<void>;
}

/** What is used where nobody says which. */
export const DEFAULT_TARGET = "cpu";

/** Opens a finished artefact, or makes a MODEL ready and opens that. */
export async function openRunnable(thing: string | undefined, options: OpenOptions = {}): Promise<Runnable> {
  if (thing !== undefined) {
    const given = resolve(thing);
    const path = (await isPack(given)) ? await unpack(given, options.env) : given;
    const found = await findFinished(path);
    if (found?.kind === "artefact") return openFinished(thing, await openArtefact(found.folder), options);
    if (found) return openFinished(thing, await found.files.artefact(found.file), options);
  }
  const { target } = await findTarget(options.target ?? options.defaultTarget ?? DEFAULT_TARGET);
  const given = { ...givenOptions(target, options), ...optionsForAdapters(target, options.adapters) };
  const { model, artefact, prepared, stages } = await makeReady(thing, target, {
    ...options,
    verify: options.verify ?? false,
    targetOptions: given,
  });
  try {
    const { session, adapters } = await openSession(
      target,
      artefact,
      prepared.options,
      options.adapters,
      options.onEvent,
    );
    return {
      card: model.card,
      target,
      session,
      stages,
      artefact: artefact.folder,
      defaults: generationDefaults(model.checkpoint.generationConfig, model.checkpoint.config),
      mesh: meshOf(prepared.options),
      adapters,
      graph: model.graph,
      reopen: (changed) => openRunnable(thing, { ...options, ...changed }),
      tokenizer: () => tokenizerOf(model.checkpoint),
      close: async () => {
        await session.close();
        await model.close();
      },
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function openFinished(thing: string, artefact: Artefact, options: OpenOptions): Promise<Runnable> {
  const { onEvent: _, ...resolving } = options;
  const { model, target: madeFor } = artefact.manifest;
  if (options.lora !== undefined)
    throw new ToolchainError(
      "option-invalid",
      `${thing} is finished: give --lora with the checkpoint it was made from`,
    );
  if (options.target !== undefined && options.target !== madeFor)
    throw new ToolchainError("option-invalid", `${thing} was made for target ${madeFor}, not for ${options.target}`);
  const { target } = await findTarget(madeFor);
  checkFinished(thing, target, artefact.manifest.options, options.targetOptions);
  const targetSettings = notFixed(target, options.targetSettings);
  const chosen = targetOptions(target, givenOptions(target, { ...options, targetSettings }));
  const { session, adapters } = await openSession(target, artefact, chosen, options.adapters, options.onEvent);
  return {
    card: model,
    target,
    session,
    stages: [],
    artefact: artefact.folder,
    defaults: await artefactDefaults(artefact.folder),
    mesh: meshOf(chosen, artefact.manifest.options),
    adapters,
    reopen: (changed) => openFinished(thing, artefact, { ...options, ...changed }),
    tokenizer: () => openTokenizer(options.tokenizer ?? artefact.folder, resolving),
    close: () => session.close(),
  };
}

/** What a target is given: its own options, and those that callers have names for. */
function givenOptions(target: Target, options: OpenOptions): Record<string, unknown> {
  const { batchSize, mesh, targetSettings = {}, targetOptions: own } = options;
  const shared = mesh === undefined ? {} : { mesh: meshText(toMesh(mesh)) };
  return { ...optionsOf(target, targetSettings), ...own, ...optionsOf(target, { batchSize }), ...shared };
}

/** The mesh that options name, the first that do. */
function meshOf(...options: readonly unknown[]): Mesh {
  for (const given of options) {
    const { mesh } = (given ?? {}) as { readonly mesh?: unknown };
    if (typeof mesh === "string") return toMesh(mesh);
  }
  return { dp: 1, mp: 1, pp: 1 };
}
