import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GraphError, partition, programOf } from "@llm/core-ir";
import { goldenNames, hasLegacyConfig, readGoldenConfig } from "@llm/fixtures";
import { architectureFor, architectures, Config } from "@llm/models";
import type { Target } from "@llm/target";
import { nullTarget } from "@llm/target/null";
import { aic100Target } from "@llm/target-aic100";
import { bm1684xTarget } from "@llm/target-bm1684x";
import { cpuTarget } from "@llm/target-cpu";
import { root } from "./workspace.ts";

const MARKS = { yes: "✓", partly: "partly", no: "–" } as const;

function targetSection(target: Target): string {
  const rows = target.features.map(
    ({ name, state, shown, note }) => `| ${name} | ${MARKS[state]} | ${state === "no" ? "–" : shown} | ${note ?? ""} |`,
  );
  return [`### \`${target.id}\`: ${target.title}`, "", "| feature | | shown on | |", "|---|---|---|---|", ...rows].join(
    "\n",
  );
}

/** Golden models of an architecture: what its row was shown on. */
function goldensOf(id: string): string[] {
  return goldenNames().filter((name) => architectureFor(readGoldenConfig(name)).id === id);
}

function architectureSection(): string {
  const rows = architectures.map(
    ({ id, title, modelTypes }) =>
      `| ${title} | ${modelTypes.map((type) => `\`${type}\``).join(", ")} | ${goldensOf(id).length} |`,
  );
  return ["| architecture | `model_type` | golden models |", "|---|---|---|", ...rows].join("\n");
}

/** What is refused of configs, each with its architectures, numbered: found by building the golden models in both generations of keys. */
function refusals(): string {
  const lines = new Map<string, Set<string>>();
  const add = (id: string, line: string) => lines.set(line, (lines.get(line) ?? new Set()).add(id));
  for (const { id, build } of architectures)
    for (const name of goldensOf(id))
      for (const file of ["config.json", "config.legacy.json"] as const) {
        if (file === "config.legacy.json" && !hasLegacyConfig(name)) continue;
        const config = new Config(readGoldenConfig(name, file));
        build(config);
        for (const [field, values] of config.limits)
          add(id, `\`${field}\` other than ${values.map((value) => `\`${value}\``).join(" or ")}`);
        for (const rule of config.rules) add(id, `anything but ${rule}`);
      }
  return [...lines]
    .map(([line, ids], at) => `${at + 1}. ${[...ids].map((id) => `\`${id}\``).join(", ")}: ${line}`)
    .join("\n");
}

/** Models that can't be shared between devices, numbered: found by sharing every golden model in these ways. */
function meshRefusals(): string {
  const lines = new Set<string>();
  for (const { id, build } of architectures)
    for (const name of goldensOf(id))
      for (const mp of [1, 2, 3, 4])
        try {
          partition.run(programOf(build(new Config(readGoldenConfig(name)))), { mp }, { dialects: [] });
        } catch (error) {
          if (!GraphError.isInstance(error)) throw error;
          lines.add(`\`${id}\` on ${mp} devices a layer: ${error.message}`);
        }
  return [...lines].map((line, at) => `${at + 1}. ${line}`).join("\n") || "None.";
}

/** FEATURES.md as it should be, from what targets and architectures declare. */
export function renderFeatures(): string {
  const targets = [cpuTarget, aic100Target, bm1684xTarget, nullTarget] as readonly Target[];
  return `# Features

Made by \`pnpm docs:features\` from what the targets and the architectures declare; \`pnpm check\` fails when it is stale.
"Shown on" says what a row was proved on: real hardware, the vendor's simulator, our emulator, or tests alone.

## Targets

${targets.map(targetSection).join("\n\n")}

## Architectures

Each gives the reference's logits, hidden states and greedy text on its golden models, through the reference interpreter and
through ONNX Runtime, from both generations of config keys.

${architectureSection()}

## What is refused

Values of config fields that change the numbers and that no published checkpoint of these architectures is known to use, but for
ChatGLM's own files in 8 and 4 bits (\`quantization_bit\`), and what fields must be together. A checkpoint that has another is
refused by name, never run with the field ignored.

${refusals()}

Models that can't be shared between devices ([docs/mesh.md](docs/mesh.md)): every golden model is partitioned for one to four
devices a layer, and what is refused is listed here. The list grows only with a [decision](docs/decisions) that says why.

${meshRefusals()}
`;
}

/** Whether FEATURES.md is what it should be, as problems to print. */
export function staleFeatures(): string[] {
  const found = readFileSync(join(root, "FEATURES.md"), "utf8");
  return found === renderFeatures() ? [] : ["FEATURES.md is stale; run `pnpm docs:features`"];
}
