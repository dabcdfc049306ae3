import { type OrtRunOptions, type OrtSession, type OrtTensors, ortTensor } from "@llm/runtime-native/ort";
import { expect, test } from "vitest";
import { NetsModel } from "./nets-model.ts";
import type { MeshSchedule } from "./schedule.ts";

test("memory is given back after the last net of a call, not after each", async () => {
  const runs: OrtRunOptions[] = [];
  const net = (input: string, output: string): OrtSession => ({
    ...{ backend: "addon", version: "" },
    inputs: [{ name: input, dtype: "f32", shape: ["tokens"] }],
    outputs: [{ name: output, dtype: "f32", shape: ["tokens"] }],
    async run(_inputs, _wanted, options = {}): Promise<OrtTensors> {
      runs.push(options);
      return { [output]: ortTensor("f32", [1]) };
    },
    close: async () => {},
  });
  const schedule: MeshSchedule = {
    ...{ mp: 1, pp: 1, talks: [] },
    hands: [{ from: { net: "first", name: "stream" }, to: [{ net: "second", name: "stream" }] }],
    places: [{ rank: 0, stage: 0, nets: ["first", "second"] }],
  };
  const nets = [
    { id: "first", model: net("ids", "stream") },
    { id: "second", model: net("stream", "logits") },
  ];
  const model = new NetsModel(nets, schedule);
  await model.run({ ids: ortTensor("f32", [1]) }, { logits: null }, { tidy: true });
  expect(runs.map(({ tidy }) => tidy)).toEqual([false, true]);
});
