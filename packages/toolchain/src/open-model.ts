import { basename } from "node:path";
import {
  type Checkpoint,
  mergedWeights,
  type Overrides,
  openAdapter,
  openCheckpoint,
  parseOverride,
} from "@llm/checkpoint";
import { checkSpec, type Graph } from "@llm/core-ir";
import { type Architecture, architectureFor, Config, harmlessOf, ModelError, unreadFields } from "@llm/models";
import type { ModelCard } from "@llm/target";
import {
  type Binding,
  bind,
  DTYPES,
  type DType,
  type Harmless,
  leavesOf,
  requireBound,
  type WeightSource,
  withoutZeroBiases,
} from "@llm/tensor";
import { ToolchainError } from "./error.ts";
import { modelCard } from "./model-card.ts";
import { useNativeCodecs } from "./use-native-codecs.ts";

/** A checkpoint that was opened, understood, and found to hold what its config promises. */
export interface Model {
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  /** Canonical: decoder ops, packed tokens; its leaves name the checkpoint's own tensors. */
  readonly graph: Graph;
  readonly card: ModelCard;
  readonly weights: WeightSource;
  /** Tensors that nothing uses, and why that does no harm. */
  readonly ignored: Binding["ignored"];
  /** Fields of the config (or of GGUF's metadata) that say something which nothing reads and nobody knows to be harmless. */
  readonly unread: readonly string[];
  close(): Promise<void>;
}

export interface OpenModelOptions {
  /** How it is called; the folder's name unless said. */
  readonly name?: string;
  /** `key=value`: fields of the config to set; dotted paths reach inside. */
  readonly config?: readonly string[];
  /** A folder with a LoRA adapter as PEFT saves it, to be added to the weights. */
  readonly lora?: string;
}

/**
 * Opens a checkpoint, builds its graph, checks that against the spec, and binds it: every tensor that the graph needs is
 * there in the right shape, and none is left over that nobody knows a reason for. Only headers are read.
 *
 * @example
 * const model = await openModel("models/starcoderbase-1b");
 * model.card.parameters;
 * await model.close();
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<Model> {
  useNativeCodecs();
  const checkpoint = await openCheckpoint(path, { overrides: overridesOf(options.config) });
  try {
    const name = options.name ?? basename(checkpoint.folder);
    const { architecture, graph: unbound, unread, harmless } = graphOf(checkpoint);
    const { lora } = options;
    const weights =
      lora === undefined ? checkpoint.weights : mergedWeights(checkpoint.weights, await openAdapter(lora));
    const { graph, ignored } = await bindGraph(unbound, harmless, { weights, path: checkpoint.path });
    return {
      name,
      checkpoint,
      architecture,
      graph,
      card: modelCard(name, architecture.id, graph),
      weights,
      ignored,
      unread,
      close: () => checkpoint.close(),
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** What to say of config fields that nobody reads; undefined where there are none. */
export function unreadNote({ unread, checkpoint }: Pick<Model, "unread" | "checkpoint">): string | undefined {
  if (unread.length === 0) return undefined;
  return `${configOf(checkpoint)}: nobody reads ${unread.join(", ")}; if they change numbers, results differ from the original`;
}

export interface ModelGraph {
  readonly architecture: Architecture;
  readonly graph: Graph;
  readonly unread: readonly string[];
  readonly harmless: readonly Harmless[];
}

/** The canonical graph that a checkpoint's config asks for; needs no weights. */
export function graphOf(checkpoint: Checkpoint): ModelGraph {
  try {
    return readGraph(checkpoint);
  } catch (error) {
    // Whoever reads a config doesn't know where it lies.
    if (!ModelError.isInstance(error)) throw error;
    const message = error.message.replace(/^config\.json(?=: )/, configOf(checkpoint));
    throw new ModelError(error.code, `${checkpoint.path}: ${message}`);
  }
}

/** Where a config was read from, in words: a GGUF file has none but what its metadata amount to. */
function configOf({ kind }: Checkpoint): string {
  return kind === "gguf" ? "the config that its metadata make" : "config.json";
}

function readGraph({ config: raw, weights, unread }: Checkpoint): ModelGraph {
  const architecture = architectureFor(raw);
  const config = new Config(raw);
  const graph = architecture.build(config, (tensor) => weights.get(tensor)?.shape);
  checkSpec(graph);
  return {
    architecture,
    graph,
    unread: [...unreadFields(config, architecture), ...unread],
    harmless: harmlessOf(architecture, config),
  };
}

/** The graph with its leaves decided for this checkpoint, or an error that names what is missing, left over or of another shape. */
export async function bindGraph(
  graph: Graph,
  harmless: readonly Harmless[],
  { weights, path }: { readonly weights: WeightSource; readonly path: string },
): Promise<{ readonly graph: Graph; readonly ignored: Binding["ignored"] }> {
  if (!weights.names()[Symbol.iterator]().next().value)
    throw new ToolchainError(
      "model-mismatch",
      `${path}: holds a config, but no weights; download the whole checkpoint`,
    );
  const bound = bind(
    graph.weights.map(({ expr }) => expr),
    weights,
    { harmless },
  );
  const binding = await withoutZeroBiases(bound, weights);
  const exprs = inFolder(path, () => requireBound(binding));
  for (const { name } of exprs.flatMap(leavesOf)) {
    const format = weights.get(name)!.format;
    if (format in DTYPES && !DTYPES[format as DType].float)
      throw new ToolchainError(
        "model-mismatch",
        `${path}: tensor ${name} is stored as ${format}; a weight is a float of some format`,
      );
  }
  const decided = graph.weights.map((weight, at) => ({ ...weight, expr: exprs[at]! }));
  return { graph: { ...graph, weights: decided }, ignored: binding.ignored };
}

/** `key=value` texts as fields to set. */
export function overridesOf(config: readonly string[] = []): Overrides {
  try {
    return Object.fromEntries(config.map(parseOverride));
  } catch (error) {
    throw new ToolchainError("option-invalid", `--config: ${(error as Error).message}`, { cause: error });
  }
}

/** Errors about tensors don't know which folder they came from. */
function inFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ToolchainError("model-mismatch", `${path}: ${error.message}`, { cause: error });
  }
}
