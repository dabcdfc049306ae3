import type { Json, JsonObject } from "../json.ts";
import type { Metadata } from "./metadata.ts";

/**
 * Tokens that end a text or a turn whatever their type. Converters name one end of a text in the metadata and leave the end of a
 * turn to these names, by which llama.cpp finds it (`special_eog_ids` in its llama-vocab.cpp): what a `generation_config.json`
 * lists, a GGUF file has nowhere else. Left out are those of architectures that aren't read here, and `</s>`, which Gemma's
 * vocabulary has as a tag of HTML.
 */
const ENDS: readonly string[] = [
  "<|endoftext|>",
  "<|end_of_text|>",
  "<|eot_id|>", // Llama 3
  "<|eom_id|>",
  "<|im_end|>", // ChatML
  "<|end|>", // Phi-3, StarChat
  "<eos>", // Gemma
  "<end_of_turn>",
  "<EOT>",
  "_<EOT>",
  "[EOT]", // Kimi K2
  "[EOS]",
  "<end_of_utterance>", // SmolVLM
  "<｜end▁of▁sentence｜>", // DeepSeek
];

/** Where generation stops is where a text ends, and where a turn of a conversation does. */
export async function generationConfig(metadata: Metadata, config: JsonObject): Promise<JsonObject> {
  const { bos_token_id, eos_token_id, pad_token_id } = config as Record<string, Json | undefined>;
  const stops = new Set([
    eos_token_id,
    metadata.number("tokenizer.ggml.eot_token_id"),
    metadata.number("tokenizer.ggml.eom_token_id"),
    ...(await metadata.indicesOf("tokenizer.ggml.tokens", ENDS)),
  ]);
  stops.delete(undefined);
  const list = [...stops] as number[];
  const result: Record<string, Json> = {};
  if (bos_token_id !== undefined) result.bos_token_id = bos_token_id;
  if (list.length > 0) result.eos_token_id = list.length === 1 ? list[0]! : list;
  if (pad_token_id !== undefined) result.pad_token_id = pad_token_id;
  return result;
}
