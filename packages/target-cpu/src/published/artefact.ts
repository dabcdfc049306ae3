import { readFile } from "node:fs/promises";
import { basename, dirname, relative } from "node:path";
import { type Artefact, type ModelCard, TargetError } from "@llm/target";

/** In a manifest's options: the file, relative to the folder, where nothing of ours was built. */
export const PUBLISHED = "published";

/** A published ONNX file as an artefact in the folder that has its config and tokenizer. */
export async function publishedArtefact(file: string): Promise<Artefact> {
  const beside = dirname(file);
  const folder = basename(beside) === "onnx" ? dirname(beside) : beside;
  return {
    folder,
    manifest: {
      schemaVersion: 1,
      target: "cpu",
      model: await cardOf(folder),
      options: { [PUBLISHED]: relative(folder, file) },
      tools: {},
      checkpoint: "",
      units: [],
      files: [],
      created: new Date(0).toISOString(),
    },
  };
}

const LENGTHS = ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length"] as const;
/** More than any model's vocabulary, width, layers or context by far. */
const LARGEST = 1e8;

/** Positions that are biases have no end, and some configs name none: a length that such models were trained on. */
const UNLIMITED = 2048;

/** What the config says of the model, under any of its names for it. */
async function cardOf(folder: string): Promise<ModelCard> {
  const file = `${folder}/config.json`;
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(await readFile(file, "utf8"));
    if (typeof config !== "object" || config === null) throw new Error("it is no JSON object");
  } catch (cause) {
    throw new TargetError(
      "artefact-damaged",
      `${file}: can't be read; an ONNX file needs the model's config beside it`,
      { cause },
    );
  }
  const text = (config.text_config ?? config) as Record<string, unknown>;
  const said = (...names: readonly string[]): string | undefined =>
    names.find((each) => typeof text[each] === "number");
  const number = (...names: readonly string[]): number => {
    const name = said(...names);
    if (name === undefined) throw new TargetError("artefact-damaged", `${file}: has none of ${names.join(", ")}`);
    const value = text[name] as number;
    if (Number.isInteger(value) && value > 0 && value <= LARGEST) return value;
    throw new TargetError("artefact-damaged", `${file}: ${name} is ${value}, which no model has`);
  };
  return {
    name: basename(folder),
    architecture: String(config.model_type ?? "unknown"),
    vocab: number("vocab_size"),
    width: number("hidden_size", "n_embd", "d_model"),
    blocks: number("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    context: said(...LENGTHS) === undefined ? UNLIMITED : number(...LENGTHS),
    parameters: 0, // nobody counts them in a graph
  };
}
