import { appendForm } from "../cache/append.ts";
import { type Attention, attentionOf, type Form, type FormOptions } from "../cache/forms.ts";
import { fusedForm } from "../cache/fused.ts";
import { historyForm } from "../cache/history.ts";
import { absorbAll, fuseLatent } from "../cache/latent.ts";
import { scatterForm } from "../cache/scatter.ts";
import { GraphError } from "../error.ts";
import type { Graph, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { boolean, choice, format, integer, optional, record, schema } from "../schema.ts";

const FORMS = { fused: fusedForm, scatter: scatterForm, append: appendForm, history: historyForm } as const;

/** The forms of a cache; ARCHITECTURE.md says what each is for. */
export type CacheForm = keyof typeof FORMS | "none";

/** Gives attention its cache. Run it once, before ops are lowered. */
export const cacheForm = graphPass({
  name: "cache-form",
  doc: "Gives attention a cache: one fused op on a state, a retained pair written by position or by index, a history in and news out, or none.",
  params: schema({
    form: choice("fused", "scatter", "append", "history", "none"),
    /** Order of the cache's axes: tokens is [slots, context, heads, dim] (the default), heads [slots, heads, context, dim]. */
    layout: optional(choice("tokens", "heads")),
    /** What the cache holds; the activations' dtype when absent. */
    dtype: optional(choice("f32", "f16", "bf16")),
    /** A number format that what is stored is rounded to: the numerics of a device that keeps its cache in it. */
    format: optional(format),
    /** Of scatter: windowed layers keep a ring that serves chunks and ways back of these lengths. */
    ring: optional(record({ chunk: integer(1), rewind: integer(0) })),
    /** Of history: false makes the net for a prompt's first call, which has none. */
    past: optional(boolean),
    /** Of history: input makes masks inputs, numbers to add to scores, for devices that are poor at comparing integers. */
    mask: optional(choice("derived", "input")),
  }),
  run(graph, { form, layout = "tokens", dtype, format: stored, ring, past = true, mask = "derived" }) {
    const [held] = graph.states;
    if (held) throw new GraphError("unsupported", `${graph.name} has a cache already (${held.value.id})`);
    const rounded = stored === undefined ? graph : roundStored(graph, stored);
    return form === "none" ? rounded : withForm(rounded, form, { layout, dtype, ring, past, mask });
  },
});

/** Operands that are stored: keys and values, or the latent vector and the rotated part of the key. */
const STORED: Readonly<Record<string, readonly number[]>> = { attention: [1, 2], latent_attention: [2, 3] };

function roundStored(graph: Graph, format: string): Graph {
  return rewriteGraph(graph, {
    op(op, b) {
      const stored = STORED[op.kind];
      if (!stored) return undefined;
      const rounded = new Map<Value, Value>(); // key and value may be one
      const round = (value: Value): Value => {
        const known = rounded.get(value) ?? b.round(value, format);
        rounded.set(value, known);
        return known;
      };
      const ins = op.ins.map((value, n) => (value && stored.includes(n) ? round(value) : value));
      return b.ops(op.kind, ins, op.attrs);
    },
  });
}

function withForm(given: Graph, name: keyof typeof FORMS, options: FormOptions): Graph {
  const form: Form = FORMS[name](options);
  const graph = name === "fused" ? given : absorbAll(given);
  let layer = 0;
  const formed = rewriteGraph(graph, {
    start(b, map) {
      const attentions = graph.ops.filter((op) => op.kind === "attention").map((op, i) => attentionOf(op, i, map));
      if (attentions.length > 0) form.start?.(b, attentions);
    },
    op(op, b): readonly Value[] | undefined {
      if (op.kind === "attention") return [form.attend(b, attentionOf(op, layer++) satisfies Attention)];
      if (op.kind === "latent_attention") return fuseLatent(op, b, layer++, options);
      return undefined;
    },
  });
  return options.mask === "input" ? withoutPositions(formed) : formed;
}

/** Where masks come in, positions are needed only by what turns or looks something up by them. */
function withoutPositions(graph: Graph): Graph {
  const isUsed = graph.ops.some(({ ins }) => ins.some((value) => value?.id === "positions"));
  return isUsed ? graph : { ...graph, inputs: graph.inputs.filter(({ id }) => id !== "positions") };
}
