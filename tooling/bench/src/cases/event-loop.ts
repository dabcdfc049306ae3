import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import type { GenerateOptions } from "@llm/generate";
import { Generator } from "@llm/toolchain";
import type { Case, Measurement, Side } from "../case.ts";
import { gemmaFile } from "../cpu/places.ts";

/** How late the event loop's timers come, at the latest of 100 times, while `work` goes on. */
async function delayOf(work: () => Promise<unknown>): Promise<Measurement> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return { p99: delay.percentile(99) / 1e6 };
}

/** What a program notices of a model that generates in it: its timers, sockets and files wait no longer than usual. */
function whileGenerating(name: string, what: string, model: () => string, options: GenerateOptions): Case {
  return {
    name,
    title: `The event loop while text is generated, ${what}`,
    metrics: [{ key: "p99", unit: "ms", better: "lower", limit: 5 }],
    rounds: 10,
    baseline: "resting",
    async sides() {
      const generator = await Generator.fromPretrained(model());
      const generate = (seed: number) => generator.generate("def main(", { ...options, seed, ignoreEos: true });
      const generating: Side = {
        name: "generating",
        prepare: async () => void (await generate(0)),
        run: (round) => delayOf(() => generate(round)),
        close: () => generator.close(),
      };
      return [generating, { name: "resting", run: () => delayOf(() => setTimeout(1000)) }];
    },
  };
}

export const eventLoop: readonly Case[] = [
  whileGenerating("event-loop", "bundled checkpoint, drawn", () => "demo", { temperature: 1, maxNewTokens: 800 }),
  whileGenerating("event-loop-gemma", "Gemma 3 270M Q4_K_M, drawn", gemmaFile, { temperature: 1, maxNewTokens: 80 }),
  whileGenerating("event-loop-gemma-greedy", "Gemma 3 270M Q4_K_M, greedy", gemmaFile, {
    greedy: true,
    maxNewTokens: 80,
  }),
];
