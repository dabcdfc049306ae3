import { readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { expect, test } from "vitest";
import type { Aic100Options } from "./options.ts";
import { aic100Pipeline } from "./pipeline.ts";
import { EMULATED } from "./testing/build-golden.ts";

const config = new Config(readGoldenConfig("gpt2"));
const graph = architectureFor(config.raw).build(config);
const options: Aic100Options = { ...EMULATED, ctxLen: 32, promptLen: 8 };

test.each<[Partial<Aic100Options>, string]>([
  [{ ctxLen: 4096 }, "--ctx-len 4096: this model takes at most 64 tokens"],
  [{ onDeviceSampling: true, maxTopKIds: 305 }, "--max-top-k-ids 305: this model has 304 tokens"],
  [{ promptLen: 32 }, "--prompt-len 32 has to be less than --ctx-len 32"],
  [{ sdk: "recipe", fullBatchSize: 2 }, "--full-batch-size: SDK recipe writes all rows at one place"],
  [{ sdk: "2024-05", numSpeculativeTokens: 2 }, "--num-speculative-tokens: not with SDK 2024-05"],
  [{ sdk: "recipe", compCtxLengths: [1024] }, "--comp-ctx-lengths: not with SDK recipe"],
  [{ numSpeculativeTokens: 2, compCtxLengths: [1024] }, "don't go together"],
  [{ ctxLen: 64, compCtxLengths: [0] }, "--comp-ctx-lengths 0: a length is a whole number of at least 1"],
  [{ compCtxLengths: [1024] }, "--comp-ctx-lengths 32: nothing shorter is left for prompts"],
  [{ sdk: "recipe", onDeviceSampling: true }, "--on-device-sampling: not with SDK recipe"],
  [{ onDeviceSampling: true, numSpeculativeTokens: 2 }, "--on-device-sampling and --num-speculative-tokens don't go"],
  [{ includeGuidedDecoding: true }, "--include-guided-decoding is for --on-device-sampling"],
  [{ mesh: "1x2x2" }, "--mesh 1x2x2: programs share layers, 1x2 or 1x4, and have none of their own"],
  [{ mesh: "1x2", onDeviceSampling: true }, "--mesh and --on-device-sampling don't go together"],
  [
    { batchSize: 3, fullBatchSize: 2 },
    "--batch-size 3 and --full-batch-size 2: with continuous batching 2 are decoded",
  ],
  [{ socs: 4, deviceGroup: [0, 1] }, "--socs 4 and --device-group 0,1 disagree"],
  [{ card: "dl2q", numCores: 16 }, "--num-cores 16: DL2q has 14"],
  [{ emulate: false }, "--format fp32 is the emulator's"],
])("%j is refused", (changed, message) => {
  expect(() => aic100Pipeline(graph, { ...options, ...changed })).toThrow(message);
});

test("the compiler rounds weights itself; the emulator is given rounded ones", () => {
  const passes = (changed: Partial<Aic100Options>) =>
    aic100Pipeline(graph, { ...options, ...changed }).map(({ pass }) => pass);
  expect(passes({ format: "mx6" })).toContain("quantise");
  expect(passes({ mxfp6: true, format: "fp16" })).toContain("quantise");
  expect(passes({ format: "mx6", emulate: false })).not.toContain("quantise");
});
