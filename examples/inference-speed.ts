/**
 * How fast is generation, for how many sequences at once?
 *
 *     pnpm exec node examples/inference-speed.ts [MODEL] [NEW_TOKENS]
 */
import { stackContexts } from "@llm/generate";
import { Generator } from "@llm/toolchain";

export interface Speed {
  readonly batch: number;
  readonly seconds: number;
  readonly tokensPerSecond: number; // all sequences together
}

/** Generates `newTokens` for a batch of equal length, at once, as the benchmark of the same name in JAX does. */
export async function measure(generator: Generator, batch: number, newTokens: number): Promise<Speed> {
  const contexts = Array.from({ length: batch }, (_, row) =>
    generator.prepareContext(`# program ${row}\ndef main():\n`, {
      maxNewTokens: newTokens,
      ignoreEos: true,
      temperature: 0.8,
      seed: row,
    }),
  );
  const started = performance.now();
  const { tokens } = await generator.generateAtOnce(stackContexts(contexts), newTokens);
  const seconds = (performance.now() - started) / 1000;
  return { batch, seconds, tokensPerSecond: tokens.filter((id) => id >= 0).length / seconds };
}

if (import.meta.main) {
  const [model = "demo", newTokens = "64"] = process.argv.slice(2);
  const batches = [1, 2, 4, 8, 16];
  const generator = await Generator.fromPretrained(model, { batchSize: Math.max(...batches) });
  try {
    await measure(generator, 1, 8); // warm up
    for (const batch of batches) {
      const { seconds, tokensPerSecond } = await measure(generator, batch, Number(newTokens));
      console.log(
        `batch ${String(batch).padStart(2)}: ${tokensPerSecond.toFixed(1).padStart(8)} tokens/s in ${seconds.toFixed(2)} s`,
      );
    }
  } finally {
    await generator.close();
  }
}
