import type { ServedModel } from "@llm/server";
import { findTarget, Generator, planModel } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import type { Io } from "../output/io.ts";
import { modelOptions } from "./model-options.ts";
import { openProgress } from "./open-progress.ts";

/** Requests that run at once where nothing is said; more wait. */
export const SLOTS = 8;

/** What `llm serve` serves: MODEL with what belongs to it alone, then those beside it. */
export function servedModels(call: Call, io: Io): readonly [ServedModel, ...ServedModel[]] {
  const { slots: batchSize = SLOTS, also = [], lora, draftModel, speculate } = call.options;
  const { lora: _, ...common } = modelOptions(call, io);
  const shared = {
    ...common,
    ...(call.target === undefined ? {} : { target: call.target }),
    targetOptions: call.targetOptions,
    env: io.env,
    batchSize,
  };
  const own = { ...(lora === undefined ? {} : { lora }), ...(draftModel === undefined ? {} : { draftModel }) };
  const model = (id: string, extras: Partial<typeof own> = {}): ServedModel => ({
    id,
    ...(speculate || extras.draftModel !== undefined ? { options: { speculate: true } } : {}),
    open: () => Generator.fromPretrained(id, { ...shared, ...extras, onEvent: openProgress(io.progress) }),
    bytes: async () => {
      const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
      const names = extras.draftModel === undefined ? [id] : [id, extras.draftModel];
      const plans = await Promise.all(names.map((name) => planModel(name, target, shared)));
      const devices = plans.flatMap(({ plan }) => plan.devices);
      return devices.reduce((sum, { weights, kv }) => sum + weights + kv, 0);
    },
  });
  return [model(call.args.model ?? "demo", own), ...also.map((id) => model(id))];
}
