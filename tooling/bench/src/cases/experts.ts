import { rmSync } from "node:fs";
import { decoder, type PassStep } from "@llm/core-ir";
import type { Session } from "@llm/target";
import { cpuTarget } from "@llm/target-cpu";
import type { Case, Measurement, Side } from "../case.ts";
import { randomArtefact, randomCheckpoint } from "./cpu-model.ts";
import { MIXTURE } from "./mixture.ts";

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
  const tokens = Int32Array.from({ length: PROMPT }, (_, i) => (i * 7919) % MIXTURE.vocab_size);
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
    const folder = randomCheckpoint(MIXTURE);
    let open = 0;
    const side = async (name: string, format: string, first: readonly PassStep[] = []): Promise<Side> => {
      const artefact = await randomArtefact(MIXTURE, { format, first, folder, name: `${format} ${first.length}` });
      const session = await cpuTarget.open(artefact, { format, batchSize: 1, ctxLen: 0, threads: 2 });
      open++;
      return {
        name,
        detail: `--threads 2; ${PROMPT} tokens of prompt, then ${DECODED} one by one; ${MIXTURE.num_experts_per_tok} of ${MIXTURE.num_local_experts} experts`,
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
