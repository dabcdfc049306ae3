import { absorbAll, type Builder, type Graph, rewriteGraph, type Value } from "@llm/core-ir";
import { attendOver, type Kept, type Past } from "./attend-over.ts";
import { BATCH, type Columns, PAST, readColumns, SEQ } from "./columns.ts";

/** How a decoder is spoken to. */
export interface TransformersInterface {
  /** Keys and values of earlier tokens come in, and all of them go out. Without: every call is the whole text. */
  readonly cache: boolean;
  /** One input for both of a block, `past_key_values.0.key_value`: what is expected of multi-query GPTBigCode. */
  readonly joinKeyValue?: boolean;
}

/**
 * A decoder graph behind the inputs and outputs that Python's and JavaScript's transformers and their relatives know:
 * `input_ids`, `attention_mask` (0 for padding, on either side), `position_ids` where the model has any, and
 * `past_key_values.N.key` / `.value` → `logits` of every token and `present.N.key` / `.value`.
 */
export function transformersInterface(graph: Graph, options: TransformersInterface): Graph {
  const readsPositions = graph.ops.some(
    ({ kind, ins }) => !kind.endsWith("attention") && ins.some((value) => value?.id === "positions"),
  );
  const present: [name: string, Value][] = [];
  let columns: Columns | undefined;
  let layer = 0;
  return rewriteGraph(absorbAll(graph), {
    input({ id }, b) {
      const ids = id === "ids" ? b.input("input_ids", "i64", [BATCH, SEQ]) : undefined;
      columns ??= readColumns(b, options.cache);
      if (ids !== undefined) return b.cast(ids, "i32");
      if (id === "positions" && readsPositions) return b.cast(b.input("position_ids", "i64", [BATCH, SEQ]), "i32");
      if (id === "reach") return b.expand(columns.count, [BATCH, SEQ]);
      return columns.queryAt; // slots and rows: nothing reads them any more
    },
    op(op, b) {
      if (op.kind === "pick") return [op.ins[0]!]; // all rows
      if (op.kind !== "attention") return undefined;
      const { out, kept } = attendOver(
        b,
        op,
        columns!,
        options.cache ? pastInputs(b, layer, options) : () => undefined,
      );
      if (options.cache) present.push(...presentOutputs(b, kept, layer, options));
      layer++;
      return [out];
    },
    end(b) {
      for (const [name, value] of present) b.output(value, name);
    },
  });
}

function pastInputs(b: Builder, layer: number, { joinKeyValue = false }: TransformersInterface): Past {
  const name = `past_key_values.${layer}`;
  const shape = (like: Value, ...middle: (string | number)[]) => [BATCH, ...middle, like.type.shape.at(-1)!];
  return (key, value) => {
    const { dtype } = key.type;
    const groups = key.type.shape[1]!;
    if (!joinKeyValue || value === undefined)
      return {
        key: b.input(`${name}.key`, dtype, shape(key, groups, PAST)),
        value: value && b.input(`${name}.value`, dtype, shape(value, groups, PAST)),
      };
    const widths = [key, value].map(({ type }) => type.shape.at(-1) as number);
    // One head needs no axis of its own, and published models have none for it.
    const heads = groups === 1 ? [] : [groups];
    const joined = b.input(`${name}.key_value`, dtype, [BATCH, ...heads, PAST, widths[0] + widths[1]]);
    const parts = b.split(joined, widths);
    const [keys, values] = groups === 1 ? parts.map((part, i) => b.reshape(part, [BATCH, 1, PAST, widths[i]])) : parts;
    return { key: keys, value: values };
  };
}

function presentOutputs(
  b: Builder,
  { key, value }: Kept,
  layer: number,
  { joinKeyValue = false }: TransformersInterface,
): [string, Value][] {
  const name = `present.${layer}`;
  if (value === undefined) return [[`${name}.key`, key]];
  if (!joinKeyValue)
    return [
      [`${name}.key`, key],
      [`${name}.value`, value],
    ];
  const flat = [key, value].map((part) => {
    const [batch, groups, columns, width] = part.type.shape;
    return groups === 1 ? b.reshape(part, [batch, columns, width]) : part;
  });
  return [[`${name}.key_value`, b.concat(flat)]];
}
