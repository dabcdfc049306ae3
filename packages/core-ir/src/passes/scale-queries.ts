import type { Builder } from "../builder.ts";
import type { Op, Value } from "../graph.ts";
import { graphPass, noParams } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import type { AlibiRules } from "../rules.ts";

/**
 * Scores of long vectors leave the range of 16 bits before they are scaled down, so queries are scaled instead. It also keeps
 * compilers from seeing their own flash attention where it isn't wanted.
 */
export const scaleQueries = graphPass({
  name: "scale-queries",
  doc: "Scales attention's queries instead of its scores, which then stay within a narrow format's range.",
  params: noParams,
  run: (graph) => rewriteGraph(graph, { op: (op, b) => (op.kind === "attention" ? [scaled(op, b)] : undefined) }),
});

function scaled({ ins, attrs }: Op, b: Builder): Value {
  const [q, ...rest] = ins as readonly [Value, ...(Value | null)[]];
  const whole = attrs.scale as number;
  const alibi = attrs.alibi as AlibiRules | undefined;
  // A bias by key is added to scores before they are scaled: it is scaled as well. One that is rounded stays the same number
  // where that is by a power of two; the rest is left for the scores.
  const byKey = alibi?.anchor === "key";
  const scale = byKey && alibi.round ? 2 ** Math.round(Math.log2(whole)) : whole;
  const rules = byKey ? { alibi: { ...alibi, slopes: alibi.slopes.map((slope) => slope * scale) } } : {};
  return b.op("attention", [b.scale(q, scale), ...rest], { ...attrs, ...rules, scale: whole / scale });
}
