import type { Limits, WantKind } from "@llm/target";
import { elements, type Layout, type NetCall, portIs } from "./layout.ts";

/** What a session of these nets can do. */
export function limitsOf({ context, vocab, width, head, sample }: Layout, slots: number): Limits {
  const givesLogits = head.outputs.some(portIs("logits"));
  const wants: readonly WantKind["kind"][] = givesLogits ? ["logits", "top", "token"] : ["token"];
  return {
    slots,
    context,
    cacheTokens: slots * context,
    vocab,
    width,
    // Longer rows than the prompt's nets take are run token by token.
    chunk: context,
    verify: 1,
    resume: false,
    rewind: context,
    lockstep: false,
    fork: "copy",
    wants,
    ...(sample
      ? { sampling: ["greedy", "sample"], sampleTopK: mostDrawnFrom(sample, vocab) }
      : { sampling: ["greedy"] }),
    ...(givesLogits ? {} : { masks: false }), // chosen by the net, from all
    adapters: 0,
    // A prompt's nets and a token's nets round differently, so it shows how a history was cut.
    batchInvariant: false,
  };
}

/** Whether others are as good as the last of the best is told by one more. */
function mostDrawnFrom(sample: NetCall, vocab: number): number {
  const candidates = elements(sample.outputs.find(portIs("candidates"))!);
  return candidates < vocab ? candidates - 1 : candidates;
}
