import { type Builder, graphPass, type Op, rewriteGraph, schema, type Value } from "@llm/core-ir";

/**
 * Scores of long vectors leave the range of 16 bits before they are scaled down, so queries are scaled instead. It also keeps
 * the vendor's compiler from seeing its own flash attention here, for which it would need a C++ compiler on the machine.
 */
export const scaleQueries = graphPass({
  name: "scale-queries",
  doc: "Scales attention's queries instead of its scores, which then stay within a narrow format's range.",
  params: schema.schema({}),
  run: (graph) => rewriteGraph(graph, { op: (op, b) => (op.kind === "attention" ? [scaled(op, b)] : undefined) }),
});

interface Alibi {
  readonly slopes: readonly number[];
  readonly anchor: "relative" | "key";
}

function scaled({ ins, attrs }: Op, b: Builder): Value {
  const [q, ...rest] = ins as readonly [Value, ...(Value | null)[]];
  const scale = attrs.scale as number;
  const alibi = attrs.alibi as Alibi | undefined;
  // A bias by key is added to scores before they are scaled.
  const rules =
    alibi?.anchor === "key" ? { alibi: { ...alibi, slopes: alibi.slopes.map((slope) => slope * scale) } } : {};
  return b.op("attention", [b.scale(q, scale), ...rest], { ...attrs, ...rules, scale: 1 });
}
