/** `node llama-process.ts FOLDER MODEL THREADS SLOTS CONTEXT`: llama.cpp through its addon's own calls, with no layer between. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { serve } from "./engine.ts";

const [folder, model, threads, slots, context] = process.argv.slice(2);

interface Llama {
  markLoaded(): boolean;
  setLogger(logger: (level: number, message: string) => void): void;
  setLoggerLogLevel(level: number): void;
  loadBackends(folder?: string): void;
  getGpuType(): unknown;
  init(): Promise<void>;
  systemInfo(): string;
  readonly AddonModel: new (file: string, params: object) => { init(): Promise<boolean> };
  readonly AddonContext: new (model: object, params: object) => Context;
}

interface Context {
  init(): Promise<boolean>;
  initBatch(size: number): void;
  addToBatch(sequence: number, at: number, tokens: Uint32Array, wanted: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  removeTokenCellsFromSequence(sequence: number, from: number, to: number): boolean;
  setThreads(count: number): void;
}

await serve(async () => {
  const require = createRequire(`${folder}/package.json`);
  const platform = `${process.platform}-${process.arch}`.replace("darwin", "mac").replace("win32", "win");
  const bins = join(folder!, "node_modules", "@node-llama-cpp", platform, "bins", platform);
  const llama: Llama = require(`${bins}/llama-addon.node`);
  const { buildOptions } = require(`${bins}/_nlcBuildMetadata.json`);
  llama.markLoaded();
  llama.setLogger(() => {});
  llama.setLoggerLogLevel(1);
  llama.loadBackends();
  if (llama.getGpuType() == null) llama.loadBackends(bins);
  await llama.init();
  const loaded = new llama.AddonModel(model!, { addonExports: llama, gpuLayers: 0, useMmap: true });
  if (!(await loaded.init())) throw new Error(`llama.cpp can't load ${model}`);
  const rows = Number(slots);
  const most = Number(threads);
  const opened = new llama.AddonContext(loaded, {
    contextSize: Number(context) * rows,
    batchSize: 512,
    sequences: rows,
    flashAttention: "auto",
    threads: most,
    performanceTracking: false,
  });
  if (!(await opened.init())) throw new Error("llama.cpp can't make a context");
  const features = llama
    .systemInfo()
    .match(/\w+ = 1/g)
    ?.map((one) => one.split(" ")[0]);
  return {
    vocab: 1000, // of any model's first tokens
    detail: `llama.cpp ${buildOptions.llamaCpp.release}, best of ${most > 1 ? `1 and ${most} threads` : "1 thread"}, flash attention auto, ubatch 512; ${features?.join(" ")}`,
    settings: [...new Set([1, most])].map((count) => () => opened.setThreads(count)),
    step: async (at, tokens) => {
      for (let row = 0; row < tokens.length; row++) opened.removeTokenCellsFromSequence(row, at, -1);
      // Several sequences' single tokens go together, longer ones one by one: a batch has room for 512.
      const together = tokens[0]!.length === 1 ? [[...tokens.entries()]] : [...tokens.entries()].map((one) => [one]);
      for (const batch of together) {
        opened.initBatch(batch.reduce((sum, [, ids]) => sum + ids.length, 0));
        for (const [row, ids] of batch)
          opened.addToBatch(row, at, Uint32Array.from(ids), Uint32Array.of(ids.length - 1));
        await opened.decodeBatch();
      }
    },
  };
});
