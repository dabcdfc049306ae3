import type { Metadata } from "./metadata.ts";

/** Keys under an architecture's name that decide nothing here, each with the reason. */
const HARMLESS: Readonly<Record<string, string>> = {
  vocab_size: "the embedding has as many rows",
  "attention.value_length": "tensors that were wider than keys wouldn't fit",
  expert_feed_forward_length: "the experts' tensors are as wide",
  expert_shared_feed_forward_length: "the shared expert's tensors are as wide",
  pooling_type: "how a whole text becomes one vector, which is no business of the next token's",
  "rope.scaling.finetuned": "how it was trained",
  tensor_data_layout: "a note of the converter's",
};

/**
 * What the metadata say of the model that became no part of its config: in a published one, fields that nobody reads are told, and
 * these must be as well. Call it once the config is made. A number 0 says that there is none of something.
 */
export function unreadKeys(metadata: Metadata): string[] {
  const own = `${metadata.architecture}.`;
  return metadata
    .leftOver(own)
    .filter(([key, value]) => value !== 0 && !Object.hasOwn(HARMLESS, key.slice(own.length)))
    .map(([key]) => key);
}
