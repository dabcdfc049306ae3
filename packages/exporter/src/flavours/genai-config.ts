import type { Graph } from "@llm/core-ir";
import { ExportError } from "../error.ts";

export interface GenaiOptions {
  /** Name of the model's file. */
  readonly filename: string;
  /** The graph that the file says, behind `transformersInterface` with a cache. */
  readonly graph: Graph;
  /** Most tokens of a sequence. */
  readonly context: number;
  readonly bos?: number;
  /** Any of these ends a text. */
  readonly eos: readonly number[];
  readonly pad?: number;
}

/**
 * `genai_config.json`, with which onnxruntime-genai runs a model of the standard flavour. Its types of decoders differ
 * only in names that are all given here, so every model is presented as one of them.
 *
 * @throws ExportError `unsupported-model` for latent attention, which keeps one vector for each token
 */
export function genaiConfig({
  filename,
  graph,
  context,
  bos,
  eos,
  pad,
}: GenaiOptions): Readonly<Record<string, unknown>> {
  const keys = graph.inputs.filter(({ id }) => /^past_key_values\.\d+\.key$/.test(id));
  if (!graph.inputs.some(({ id }) => id === "past_key_values.0.value"))
    throw new ExportError(
      "unsupported-model",
      `onnxruntime-genai keeps a key and a value for each token; ${graph.name} keeps something else: export it without genai's config`,
    );
  const [, kvHeads, , headSize] = keys[0].type.shape as readonly [string, number, string, number];
  const vocab = graph.outputs[0].type.shape.at(-1);
  const has = (id: string) => graph.inputs.some((input) => input.id === id);
  return {
    model: {
      type: "llama",
      ...(bos === undefined ? {} : { bos_token_id: bos }),
      eos_token_id: eos.length === 1 ? eos[0] : eos,
      pad_token_id: pad ?? eos[0],
      context_length: context,
      vocab_size: vocab,
      decoder: {
        session_options: { log_id: "onnxruntime-genai", provider_options: [] },
        filename,
        head_size: headSize,
        hidden_size: kvHeads * headSize,
        num_attention_heads: kvHeads,
        num_key_value_heads: kvHeads,
        num_hidden_layers: keys.length,
        inputs: {
          input_ids: "input_ids",
          attention_mask: "attention_mask",
          ...(has("position_ids") ? { position_ids: "position_ids" } : {}),
          past_key_names: "past_key_values.%d.key",
          past_value_names: "past_key_values.%d.value",
        },
        outputs: {
          logits: "logits",
          present_key_names: "present.%d.key",
          present_value_names: "present.%d.value",
        },
      },
    },
    search: { do_sample: false, max_length: context, past_present_share_buffer: false },
  };
}
