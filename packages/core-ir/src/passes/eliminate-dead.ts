import { graphPass, noParams } from "../pass.ts";
import { removeDead } from "../remove-dead.ts";

export const eliminateDead = graphPass({
  name: "eliminate-dead",
  doc: "Drops ops, weights and constants that no output or state needs.",
  params: noParams,
  run: (graph) => removeDead(graph),
});
