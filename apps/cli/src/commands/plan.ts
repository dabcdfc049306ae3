import type { Plan } from "@llm/target";
import { findTarget, planModel, planPage } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";
import { meshFields, meshTable } from "./mesh-table.ts";
import { modelOptions } from "./model-options.ts";
import { checkOutput, problems, writeOutput } from "./output-file.ts";

/** `llm plan` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { target, id } = await findTarget(call.target ?? DEFAULT_TARGET);
  const html = call.options.reportHtml;
  await checkOutput("--html", html);
  const report = await planModel(call.args.model, target, {
    ...modelOptions(call, io),
    batchSize: batchSize(call.options.planBatchSize),
    mesh: call.options.planMesh,
    targetOptions: call.targetOptions,
  });
  const { card, options, plan, notes } = report;
  const { fits, maxBatchSize, devices, why, meshes, speed, assumptions } = plan;
  const unwritten = await writeOutput("--html", html, () => planPage(target.title, report));
  if (html !== undefined && unwritten === undefined)
    io.note(`${html}: where each device's memory goes; open it in a browser`);
  const parts = ["weights", "kv", "activations", "reserve", "free"] as const;
  const lines = devices.flatMap((device) => [
    `${device.name}: ${bytes(device.total)}`,
    ...parts.flatMap((part) => {
      const amount = device[part];
      const program =
        part === "activations" && device.instructions ? `, ${bytes(device.instructions)} of it the program` : "";
      return [`  ${part.padEnd(12)} ${(amount < 0 ? `-${bytes(-amount)}` : bytes(amount)).padStart(9)}${program}`];
    }),
    ...(device.tables === undefined ? [] : [tablesLine(device.tables)]),
  ]);
  return {
    json: {
      ...{ model: card, target: id, options, notes, fits, maxBatchSize, devices, why },
      ...(speed ? { speed } : {}),
      ...(assumptions ? { assumptions } : {}),
      ...(meshes ? meshFields(meshes) : {}),
    },
    text: [
      ...(meshes ? [...meshTable(meshes), ""] : []),
      ...lines,
      ...(speed ? [rateLine("decode", speed.decode), rateLine("prefill", speed.prefill)] : []),
      fits ? `fits, up to batch size ${maxBatchSize}` : "does not fit",
      ...new Set([why, ...(meshes ? [meshes.why] : [])]),
      ...notes,
    ].join("\n"),
    ...problems(unwritten),
    exitCode: fits && unwritten === undefined ? EXIT.done : EXIT.failed,
  };
}

function tablesLine(most: number): string {
  return `  ${"tables".padEnd(12)} ${bytes(most).padStart(9)} at most, mapped to look rows up in and given back when memory is short`;
}

function rateLine(name: string, { most, usual, by }: NonNullable<Plan["speed"]>["decode"]): string {
  const seen = usual === undefined ? "" : `, ${usual.toFixed(1)} are usual`;
  return `${name}: at most ${most.toFixed(1)} tokens/s${seen} (${by} decides)`;
}

function batchSize(text: string | undefined): number | "max" | undefined {
  if (text === undefined || text === "max") return text;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--batch-size is a whole number of at least 1, or max, not "${text}"`);
}
