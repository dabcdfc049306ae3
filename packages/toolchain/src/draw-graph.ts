import { writeFile } from "node:fs/promises";
import { corePasses, drawProgram, type Graph, type PassTrace, programOf, runPipeline } from "@llm/core-ir";
import type { Target } from "@llm/target";
import { ToolchainError } from "./error.ts";
import { targetOptions } from "./target-options.ts";

/**
 * A page with a model's graph as built and after every pass that a target runs over it, to be opened in any browser.
 *
 * @example
 * const page = drawGraph("demo", graph, cpuTarget);
 */
export function drawGraph<O>(
  title: string,
  graph: Graph,
  target: Target<O>,
  given?: Readonly<Record<string, unknown>>,
): string {
  const traces: PassTrace[] = [];
  const program = runPipeline(programOf(graph), target.pipeline(graph, targetOptions(target, given, graph)), {
    passes: [...corePasses, ...(target.passes ?? [])],
    dialects: target.dialects,
    onPass: (trace) => traces.push(trace),
  });
  return drawProgram(`${title} for ${target.id}`, program, traces);
}

/** Writes such a page to a file. */
export async function writeGraphPage(file: string, page: string): Promise<void> {
  await writeFile(file, page).catch((error: Error) => {
    throw new ToolchainError("write-failed", `${file}: could not be written: ${error.message}`, { cause: error });
  });
}
