import type { Builder } from "../builder.ts";
import { turnPairs } from "../decoder/rotary-lower.ts";
import type { Graph, Op, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { integer, schema } from "../schema.ts";

/** For devices that look numbers up faster, or more exactly, than they take sines. */
export const rotaryTables = graphPass({
  name: "rotary-tables",
  doc: "Looks cosines and sines of rotary positions up in tables instead of calculating them.",
  params: schema({
    /** Positions the tables have. */
    context: integer(1),
  }),
  run: (graph, { context }) => withTables(graph, context),
});

function withTables(graph: Graph, context: number): Graph {
  const tables = new Map<string, { cos: Value; sin: Value }>();
  return rewriteGraph(graph, {
    op(op, b) {
      // Frequencies that depend on a sequence's length have no one table.
      if (op.kind !== "rotary" || op.attrs.beyond !== undefined) return undefined;
      return [lookedUp(op, b, context, tables)];
    },
  });
}

function lookedUp(op: Op, b: Builder, context: number, tables: Map<string, { cos: Value; sin: Value }>): Value {
  const [x, positions] = op.ins as readonly [Value, Value];
  const freqs = op.attrs.freqs as readonly number[];
  const factor = (op.attrs.factor as number | undefined) ?? 1;
  const key = JSON.stringify([freqs, factor]);
  let table = tables.get(key);
  if (!table) {
    table = {
      cos: makeTable(b, Math.cos, freqs, factor, context),
      sin: makeTable(b, Math.sin, freqs, factor, context),
    };
    tables.set(key, table);
  }
  const present = b.clip(positions, { min: 0 });
  const row = (of: Value) => b.reshape(b.cast(b.gather(of, present), x.type.dtype), [1, freqs.length], 1); // (…, 1, half)
  const { dims, start = 0, pairs } = op.attrs as { dims: number; start?: number; pairs: "half" | "interleaved" };
  return turnPairs(b, x, row(table.cos), row(table.sin), { dims, start, pairs });
}

/** (context, half), the angle rounded to f32 as the reference does. */
function makeTable(
  b: Builder,
  fn: (angle: number) => number,
  freqs: readonly number[],
  factor: number,
  context: number,
): Value {
  const half = freqs.length;
  const data = new Float32Array(context * half);
  const turn = Float32Array.from(freqs);
  for (let p = 0; p < context; p++)
    for (let i = 0; i < half; i++) data[p * half + i] = fn(Math.fround(p * turn[i]!)) * factor;
  return b.constant({ dtype: "f32", shape: [context, half], data });
}
