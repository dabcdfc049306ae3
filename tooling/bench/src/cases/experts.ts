import { rmSync } from "node:fs";
import { decoder, type PassStep } from "@llm/core-ir";
import type { Session } from "@llm/target";
import { cpuTarget } from "@llm/target-cpu";
import type { Case, Measurement, Side } from "../case.ts";
import { randomArtefact, randomCheckpoint } from "./cpu-model.ts";

/** A mixture as wide as published small ones, few layers of it: 300 million weights, of which a token sees a fifth. */
const CONFIG = {
  model_type: "granitemoe",
  hidden_size: 1024,
  intermediate_size: 512,
  num_hidden_layers: 6,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  num_local_experts: 32,
  num_experts_per_tok: 8,
  vocab_size: 8192,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
};
const PROMPT = 32;
const DECODED = 24;

/** Each token's experts gathered as floats: what the op means, said in ONNX's own. */
const GATHERED: readonly PassStep[] = [
  {
    pass: "lower",
    params: { to: ["primitive"], keep: Object.keys(decoder.ops).filter((kind) => kind !== "experts") },
  },
];

async function speed(session: Session): Promise<Measurement> {
  const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
  const tokens = Int32Array.from({ length: PROMPT }, (_, i) => (i * 7919) % CONFIG.vocab_size);
  const began = performance.now();
  let [result] = await session.step([{ slot: 0, at: 0, tokens, want }]);
  const prefilled = performance.now();
  for (let at = PROMPT; at < PROMPT + DECODED; at++)
    [result] = await session.step([{ slot: 0, at, tokens: result!.tokens!.slice(), want }]);
  const ended = performance.now();
  return { prefill: (1000 * PROMPT) / (prefilled - began), decode: (1000 * DECODED) / (ended - prefilled) };
}

/** A mixture of experts in 4 bits, each expert's rows together, against gathering each token's experts. */
export const experts: Case = {
  name: "experts",
  title: "Experts by the kernels of linears, rows in order, against experts gathered for every token",
  metrics: [
    { key: "decode", unit: "tokens/s", better: "higher", bar: 5 },
    { key: "prefill", unit: "tokens/s", better: "higher", bar: 5 },
  ],
  rounds: 5,
  baseline: "gathered, int4 but for experts",
  sides: async () => {
    const folder = randomCheckpoint(CONFIG);
    let open = 0;
    const side = async (name: string, format: string, first: readonly PassStep[] = []): Promise<Side> => {
      const artefact = await randomArtefact(CONFIG, { format, first, folder, name: `${format} ${first.length}` });
      const session = await cpuTarget.open(artefact, { format, batchSize: 1, ctxLen: 0, threads: 2 });
      open++;
      return {
        name,
        detail: `--threads 2; ${PROMPT} tokens of prompt, then ${DECODED} one by one; ${CONFIG.num_experts_per_tok} of ${CONFIG.num_local_experts} experts`,
        prepare: async () => void (await speed(session)),
        run: () => speed(session),
        close: async () => {
          await session.close();
          if (--open === 0) rmSync(folder, { recursive: true });
        },
      };
    };
    return [
      await side("ours, int4", "int4"),
      await side("ours, fp32", "fp32"),
      await side("gathered, int4 but for experts", "int4", GATHERED),
    ];
  },
};
