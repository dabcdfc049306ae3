import { findTarget, planModel } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";
import { meshFields, meshTable } from "./mesh-table.ts";
import { modelOptions } from "./model-options.ts";

/** `llm plan` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { target, id } = await findTarget(call.target ?? DEFAULT_TARGET);
  const { card, options, plan } = await planModel(call.args.model, target, {
    ...modelOptions(call, io),
    batchSize: batchSize(call.options.planBatchSize),
    mesh: call.options.planMesh,
    targetOptions: call.targetOptions,
  });
  const { fits, maxBatchSize, devices, why, meshes } = plan;
  const parts = ["weights", "kv", "activations", "instructions", "reserve", "free"] as const;
  const lines = devices.flatMap((device) => [
    `${device.name}: ${bytes(device.total)}`,
    ...parts.flatMap((part) => {
      const amount = device[part];
      if (amount === undefined) return [];
      return [`  ${part.padEnd(12)} ${(amount < 0 ? `-${bytes(-amount)}` : bytes(amount)).padStart(9)}`];
    }),
  ]);
  return {
    json: { model: card, target: id, options, fits, maxBatchSize, devices, why, ...(meshes ? meshFields(meshes) : {}) },
    text: [
      ...(meshes ? [...meshTable(meshes), ""] : []),
      ...lines,
      fits ? `fits, up to batch size ${maxBatchSize}` : "does not fit",
      ...new Set([why, ...(meshes ? [meshes.why] : [])]),
    ].join("\n"),
    exitCode: fits ? EXIT.done : EXIT.failed,
  };
}

function batchSize(text: string | undefined): number | "max" | undefined {
  if (text === undefined || text === "max") return text;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--batch-size is a whole number of at least 1, or max, not "${text}"`);
}
