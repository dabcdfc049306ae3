import { corePasses } from "@llm/core-ir";
import { installedTargets } from "@llm/toolchain/targets";
import type { Outcome } from "../definition/command.ts";

/** `llm passes` */
export async function run(): Promise<Outcome> {
  const targets = await installedTargets();
  const sources = [
    { from: "core", passes: corePasses },
    ...targets.map(({ id, target }) => ({ from: id, passes: target.passes ?? [] })),
  ];
  const passes = sources.flatMap(({ from, passes }) =>
    passes.map(({ name, doc, params }) => ({
      name,
      from,
      doc,
      params: Object.entries(params.fields).map(([param, { kind }]) => ({ name: param, kind })),
    })),
  );
  const width = Math.max(...passes.map(({ name }) => name.length));
  const lines = passes.flatMap(({ name, from, doc, params }) => [
    `${name.padEnd(width)}  ${doc}${from === "core" ? "" : ` (${from})`}`,
    ...params.map(({ name: param, kind }) => `${" ".repeat(width)}    ${param}: ${kind}`),
  ]);
  return { json: { passes }, text: lines.join("\n") };
}
