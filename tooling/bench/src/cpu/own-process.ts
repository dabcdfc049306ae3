/** `node own-process.ts MODEL FORMAT THREADS SLOTS CONTEXT`: our engine, as a program that uses it would open it. */
import { ortAddonStatus, ortKernel } from "@llm/runtime-native/ort";
import { openRunnable } from "@llm/toolchain";
import { serve } from "./engine.ts";

const [model, format, threads, slots, context] = process.argv.slice(2);

await serve(async () => {
  const targetOptions = { format, threads: Number(threads), ctxLen: Number(context) };
  const { session } = await openRunnable(model!, { target: "cpu", batchSize: Number(slots), targetOptions });
  const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
  return {
    vocab: session.limits.vocab,
    detail: `${format}, ${threads} threads, ${slots} slots of ${context} tokens, float32 cache, ${kernel()}`,
    settings: [() => {}],
    step: async (at, tokens) => {
      await session.step(tokens.map((row, slot) => ({ slot, at, tokens: row, want })));
    },
  };
});

/** Who multiplies: a figure of the runtime's own kernels must not pass for one of ours. */
function kernel(): string {
  const status = ortAddonStatus();
  return status.used ? `kernel ${ortKernel() ?? "of the runtime"}` : `WITHOUT THE ADDON (${status.reason})`;
}
