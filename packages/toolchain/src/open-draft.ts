import type { Tokenizer } from "@llm/tokenizer-bpe";
import { ToolchainError } from "./error.ts";
import { type OpenOptions, openRunnable, type Runnable } from "./open-runnable.ts";

/** Ids compared between two tokenizers: all of a small vocabulary, this many spread over a large one. */
const COMPARED = 4096;

interface DraftFor {
  /** The larger model's name and tokenizer. */
  readonly model: string;
  readonly tokenizer: Tokenizer;
  /** How the larger model was opened. */
  readonly options: OpenOptions;
}

/** Opens a draft model beside a larger one. It must speak of the same tokens: a guess is a token's id. */
export async function openDraft(draftModel: string, { model, tokenizer, options }: DraftFor): Promise<Runnable> {
  const draft = await openRunnable(draftModel, { ...sharedWithDraft(options), verify: false, needsTokenizer: true });
  try {
    if (!speakAlike(tokenizer, await draft.tokenizer()))
      throw new ToolchainError(
        "option-invalid",
        `the draft model ${draft.card.name} has another tokenizer than ${model}; give one of the same family`,
      );
    return draft;
  } catch (error) {
    await draft.close();
    throw error;
  }
}

/**
 * How the larger model was opened, without what is said of that model alone. The target becomes a default and its options settings:
 * a finished draft of another format, or for another device, is taken as it was made.
 */
function sharedWithDraft(options: OpenOptions): OpenOptions {
  const { config, revision, lora, adapters, tokenizer, force, mesh, sample, ...shared } = options;
  const { target, targetSettings, targetOptions, ...rest } = shared;
  const { mesh: _, ...settings }: Readonly<Record<string, unknown>> = { ...targetSettings, ...targetOptions };
  return { ...rest, ...(target ? { defaultTarget: target } : {}), targetSettings: settings };
}

/** Sizes may differ: vocabularies are padded, and larger models know more special tokens. */
function speakAlike(a: Tokenizer, b: Tokenizer): boolean {
  const size = Math.min(a.vocabSize, b.vocabSize);
  const step = Math.max(1, Math.floor(size / COMPARED));
  for (let id = 0; id < size; id += step) if (a.decode([id]) !== b.decode([id])) return false;
  return true;
}
