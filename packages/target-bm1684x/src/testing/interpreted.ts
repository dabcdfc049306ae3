import { corePasses, programOf, runPipeline } from "@llm/core-ir";
import type { Session } from "@llm/target";
import { bm1684xTarget } from "../bm1684x-target.ts";
import type { Bm1684xOptions } from "../options.ts";
import { Bm1684xSession } from "../session/bm1684x-session.ts";
import { findLayout } from "../session/find-layout.ts";
import { listedRoles } from "../session/roles.ts";
import { InterpretedBmrt } from "./interpreted-bmrt.ts";
import type { RandomModel } from "./random-model.ts";

/** A session over devices that interpret: everything but the compiler and the chip. */
export async function interpreted(
  { graph, source }: RandomModel,
  options: Bm1684xOptions,
): Promise<{ readonly session: Session; readonly bmrt: InterpretedBmrt }> {
  const passes = [...corePasses, ...(bm1684xTarget.passes ?? [])];
  const program = runPipeline(programOf(graph), bm1684xTarget.pipeline(graph, options), { passes });
  const bmrt = await InterpretedBmrt.of(bm1684xTarget.units(program, options), source);
  const nets = await Promise.all(Array.from({ length: bmrt.devices }, (_, device) => bmrt.load(device)));
  const layout = findLayout(nets, listedRoles(bmrt.list));
  return { session: await Bm1684xSession.open(bmrt, layout, options.batchSize), bmrt };
}
