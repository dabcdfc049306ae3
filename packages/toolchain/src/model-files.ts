import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Checkpoint } from "@llm/checkpoint";
import type { Target, Unit } from "@llm/target";
import { makeFolder } from "@llm/tensor/files";

/** Where an artefact keeps the small files of its checkpoint: tokenizer, templates, generation defaults. */
export const MODEL_FILES = "model";

const KIND = "model-files@1";

/** What a tokenizer, a chat template or a sampler may want to know; other files of the folder are nobody's business. */
const WANTED =
  /^(?:config\.json|generation_config\.json|tokenizer.*\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(?:json|txt)|merges\.txt|chat_template\.(?:json|jinja)|additional_chat_templates\/[^/]+\.jinja|[^/]+\.(?:model|tiktoken))$/;

/** Where newer checkpoints keep the chat templates of other names than the default. */
export const MODEL_TEMPLATES = "additional_chat_templates";

/** Whether a file of this name belongs to a model besides its weights. */
export function isModelFile(name: string): boolean {
  return WANTED.test(name);
}

/** More is no tokenizer but somebody's data; it stays behind. */
const MAX_FILE_BYTES = 64e6;

/** The small files of a checkpoint that are wanted beside its graph, by name. */
export async function modelFiles(checkpoint: Checkpoint): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of checkpoint.files.filter((file) => WANTED.test(file))) {
    const bytes = await checkpoint.readFile(name);
    if (bytes && bytes.length <= MAX_FILE_BYTES) files.set(name, bytes);
  }
  return files;
}

/**
 * The same target, whose artefacts also bring what belongs to their checkpoint besides weights, so that a finished folder
 * generates text without the checkpoint. The files are a unit like any other: known by content, cached, in the manifest.
 */
export async function withModelFiles<O>(target: Target<O>, checkpoint: Checkpoint): Promise<Target<O>> {
  const files = await modelFiles(checkpoint);
  if (files.size === 0) return target;
  const unit: Unit = {
    id: MODEL_FILES,
    kind: KIND,
    stage: "export",
    spec: Object.fromEntries(
      [...files].map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]),
    ),
    weights: [],
    after: [],
    makes: [...files.keys()],
    needs: { ramBytes: 0, diskBytes: sum([...files.values()]), cores: 1, tools: [] },
    place: MODEL_FILES,
  };
  return {
    ...target,
    units: (program, options) => [...target.units(program, options), unit],
    build: async (asked, work) => {
      if (asked.kind !== KIND) return target.build(asked, work);
      for (const [name, bytes] of files) {
        await makeFolder(dirname(join(work.folder, name)));
        await writeFile(join(work.folder, name), bytes);
      }
    },
  };
}

function sum(files: readonly Uint8Array[]): number {
  return files.reduce((total, { length }) => total + length, 0);
}
