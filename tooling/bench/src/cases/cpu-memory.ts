import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findTarget, openRunnable, planModel } from "@llm/toolchain";
import type { Case } from "../case.ts";
import { gemmaFile, mixtureFolder, starcoderFile } from "../cpu/places.ts";

const PROGRAM = fileURLToPath(new URL("../cpu/memory-process.ts", import.meta.url));

interface Config {
  readonly name: string;
  readonly title: string;
  model(): string;
  readonly format: string;
  readonly slots: number;
  readonly context: number;
}

/** What `llm plan` says of weights, caches and values in between, beside what a process takes when all slots are full. */
function besideThePlan({ name, title, model, format, slots, context }: Config): Case {
  return {
    name: `cpu-memory-${name}`,
    title: `${title}, ${format}, ${slots} × ${context} tokens: planned and measured (Linux)`,
    metrics: [
      { key: "off", unit: "% of the plan", better: "lower", limit: 5 },
      { key: "planned", unit: "MB", better: "lower" },
      { key: "measured", unit: "MB", better: "lower" },
      { key: "tables", unit: "MB", better: "lower" },
    ],
    rounds: 3,
    baseline: "plan",
    async sides() {
      const file = model();
      const targetOptions = { format, ctxLen: context };
      const { target } = await findTarget("cpu");
      const { plan } = await planModel(file, target, { batchSize: slots, targetOptions });
      const planned = plan.devices.reduce((sum, one) => sum + one.weights + one.kv + one.activations, 0);
      let artefact = "";
      return [
        {
          name: "plan",
          detail:
            "measured: the most resident memory, less what a tiny model takes and less pages of tables looked up in",
          async prepare() {
            const made = await openRunnable(file, { batchSize: slots, targetOptions });
            artefact = made.artefact;
            await made.close();
          },
          async run() {
            const args = [PROGRAM, artefact, String(slots), String(context)];
            const { stdout } = await promisify(execFile)(process.execPath, args);
            const { most, tables }: { most: number; tables: number } = JSON.parse(stdout);
            const measured = most - tables;
            return {
              planned: planned / 1e6,
              measured: measured / 1e6,
              off: 100 * Math.abs(measured / planned - 1),
              tables: tables / 1e6,
            };
          },
        },
      ];
    },
  };
}

/** Models and precisions whose plans are held to what is measured. */
export const cpuMemory: readonly Case[] = [
  besideThePlan({
    name: "int4",
    title: "1B StarCoder shape",
    model: () => starcoderFile("q4_0"),
    format: "int4",
    slots: 1,
    context: 1024,
  }),
  besideThePlan({
    name: "int8",
    title: "1B StarCoder shape",
    model: () => starcoderFile("q8_0"),
    format: "int8",
    slots: 2,
    context: 512,
  }),
  besideThePlan({ name: "gemma", title: "Gemma 3 270M", model: gemmaFile, format: "int8", slots: 2, context: 1024 }),
  besideThePlan({
    name: "gemma-fp32",
    title: "Gemma 3 270M",
    model: gemmaFile,
    format: "fp32",
    slots: 1,
    context: 1024,
  }),
  ...["int4", "fp32"].map((format) =>
    besideThePlan({
      name: `experts-${format}`,
      title: "300M mixture of 32 experts",
      model: mixtureFolder,
      format,
      slots: 1,
      context: 1024,
    }),
  ),
];
