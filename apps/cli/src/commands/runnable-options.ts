import type { GeneratorOptions } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { modelOptions } from "./model-options.ts";
import { openProgress } from "./open-progress.ts";

/** What a call runs: something finished, or a checkpoint. */
export function thingOf({ args: { thing, model } }: Call): string | undefined {
  return thing ?? model;
}

/** What a call says about opening what it runs; how many sequences at once is the command's own. */
export function runnableOptions(call: Call, io: Io): Omit<GeneratorOptions, "batchSize" | "mesh" | "adapters"> {
  const { thing, model } = call.args;
  const { draftModel } = call.options;
  return {
    ...modelOptions(call, io),
    ...targetOf(call),
    ...(thing === undefined || model === undefined ? {} : { tokenizer: model }),
    ...(draftModel === undefined ? {} : { draftModel }),
    env: io.env,
    onEvent: openProgress(io.progress),
  };
}

/** A target of the environment is for checkpoints: what is finished says itself what it is for. */
function targetOf({ target, targetIsSetting, targetFlags, targetSettings }: Call) {
  return {
    ...(target === undefined ? {} : targetIsSetting ? { defaultTarget: target } : { target }),
    targetOptions: Object.fromEntries(targetFlags.map(({ key, value }) => [key, value])),
    targetSettings,
  };
}
