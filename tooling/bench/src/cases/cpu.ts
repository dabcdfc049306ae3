import type { Case, Measurement, Metric, Side } from "../case.ts";
import { Engine } from "../cpu/engine.ts";
import { gemmaFile, PEER, peerFolder, starcoderFile } from "../cpu/places.ts";

/** Both sides'; one, with LLM_BENCH_CPU_TIME=1, compares them on a machine that others use. */
const THREADS = Number(process.env.LLM_BENCH_THREADS ?? 2);
const STEPS = 8;

/** What is measured of a model, and in how many slots of how many tokens that has room. */
interface Plan {
  readonly name: string;
  readonly title: string;
  readonly format: string;
  readonly slots: number;
  readonly context: number;
  model(): string;
  readonly metrics: readonly (Metric & { run(engine: Engine): Promise<number> })[];
}

const decode = (key: string, bar: number, depth: number, rows = 1) => ({
  key,
  unit: "tok/s",
  better: "higher" as const,
  bar,
  // Steps of several sequences take longer: fewer say as much.
  run: (engine: Engine) => engine.rate({ do: "decode", depth, steps: rows > 1 ? STEPS / 2 : STEPS, rows }),
});

const prefill = (key: string, bar: number, tokens: number) => ({
  key,
  unit: "tok/s",
  better: "higher" as const,
  bar,
  run: (engine: Engine) => engine.rate({ do: "prefill", tokens }),
});

/** Both engines on one model, each in a process of its own. They take turns, so what else the machine does hits both. */
function besideLlama({ name, title, format, slots, context, model, metrics }: Plan): Case {
  const side = (called: string, start: () => Engine): Side & { detail?: string } => {
    let engine: Engine;
    const made: Side & { detail?: string } = {
      name: called,
      async prepare() {
        engine = start();
        made.detail = (await engine.opened).detail;
        for (const { run } of metrics) await run(engine);
      },
      async run() {
        const measured: Record<string, number> = {};
        for (const { key, run } of metrics) measured[key] = await run(engine);
        return measured satisfies Measurement;
      },
      close: async () => engine?.close(),
    };
    return made;
  };
  return {
    name,
    title,
    metrics,
    rounds: 10,
    baseline: "llama.cpp",
    async sides() {
      const file = model();
      const room = [String(THREADS), String(slots), String(context)];
      return [
        side("llm", () => new Engine("own-process.ts", [file, format, ...room])),
        side("llama.cpp", () => new Engine("llama-process.ts", [peerFolder(), file, ...room])),
      ];
    },
  };
}

const first: Metric = { key: "firstMs", unit: "ms", better: "lower", limit: 1000 };

/** A fresh process each time: from asking for the model to its first token. */
const load: Case = {
  name: "cpu-load",
  title: "1B StarCoder shape in 4 bits: load to the first token after a prompt of 8, files in the page cache",
  metrics: [first],
  rounds: 10,
  baseline: "llama.cpp",
  async sides() {
    const file = starcoderFile("q4_0");
    const room = [String(THREADS), "1", "256"];
    const side = (name: string, detail: string, start: () => Engine): Side => {
      const run = async () => {
        const engine = start();
        const { firstMs } = await engine.opened;
        await engine.close();
        return { firstMs };
      };
      return { name, detail, run, prepare: async () => void (await run()) };
    };
    return [
      side("llm", `int4, ${THREADS} threads`, () => new Engine("own-process.ts", [file, "int4", ...room])),
      side(
        "llama.cpp",
        `${PEER}, ${THREADS} threads, mapped`,
        () => new Engine("llama-process.ts", [peerFolder(), file, ...room]),
      ),
    ];
  },
};

/** The CPU engine beside llama.cpp; the rows of docs/cpu.md. */
export const cpu: readonly Case[] = [
  besideLlama({
    name: "cpu-4bit-decode",
    title: `1B StarCoder shape in 4 bits beside llama.cpp q4_0 (${PEER})`,
    format: "int4",
    slots: 8,
    context: 128,
    model: () => starcoderFile("q4_0"),
    metrics: [decode("decode32", 1, 32), decode("batch8", 1, 32, 8)],
  }),
  besideLlama({
    name: "cpu-4bit-prefill",
    title: `The same, a prompt of 512 (${PEER})`,
    format: "int4",
    slots: 1,
    context: 640,
    model: () => starcoderFile("q4_0"),
    metrics: [prefill("prefill512", 1.1, 512)],
  }),
  besideLlama({
    name: "cpu-4bit-deep",
    title: `The same at depth 2048 (${PEER})`,
    format: "int4",
    slots: 1,
    context: 2304,
    model: () => starcoderFile("q4_0"),
    metrics: [decode("decode2048", 0.95, 2048)],
  }),
  besideLlama({
    name: "cpu-8bit",
    title: `1B StarCoder shape in 8 bits beside llama.cpp q8_0 (${PEER})`,
    format: "int8",
    slots: 1,
    context: 256,
    model: () => starcoderFile("q8_0"),
    metrics: [decode("decode32", 1, 32)],
  }),
  besideLlama({
    name: "cpu-gemma",
    title: `Gemma 3 270M Q4_K_M beside llama.cpp (${PEER})`,
    format: "int8",
    slots: 1,
    context: 1024,
    model: gemmaFile,
    metrics: [decode("decode32", 0.9, 32), prefill("prefill512", 0.9, 512)],
  }),
  load,
];
