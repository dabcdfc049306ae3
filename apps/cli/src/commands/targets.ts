import { installedTargets } from "@llm/toolchain/targets";
import type { Outcome } from "../definition/command.ts";

/** `llm targets` */
export async function run(): Promise<Outcome> {
  const targets = await installedTargets();
  const json = {
    targets: targets.map(({ id, title, package: name, version, options, target }) => ({
      id,
      title,
      package: name,
      version,
      options: Object.keys(options),
      features: target.features,
    })),
  };
  const width = Math.max(4, ...targets.map(({ id }) => id.length));
  const lines = targets.flatMap(({ id, title, package: name, version, target }) => [
    `${id.padEnd(width)}  ${title} (${name} ${version})`,
    ...target.features.map(
      ({ name: feature, state, shown, note }) =>
        `${" ".repeat(width)}    ${MARKS[state]} ${feature}${shown === "-" ? "" : `, shown on ${shown}`}${note ? `: ${note}` : ""}`,
    ),
  ]);
  return {
    json,
    text: lines.length > 0 ? lines.join("\n") : "no target is installed; npm install @llm/target-cpu brings the CPU",
  };
}

const MARKS = { yes: "✓", partly: "~", no: "✗" } as const;
