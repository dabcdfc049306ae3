import {
  type Builder,
  type Dim,
  type Graph,
  graphPass,
  type Pass,
  rewriteGraph,
  schema,
  type Value,
} from "@llm/core-ir";
import { aic } from "../onnx/dialect.ts";
import { BATCH, FULL_BATCH, RETAINED, SEQ, size } from "./form.ts";
import {
  ACCEPTED,
  MIN_PS,
  NEXT_TOKENS,
  PRESENCE_BUFFER,
  PRESENCE_PENALTIES,
  RANDOM_NUMBERS,
  REPETITION_BUFFER,
  REPETITION_PENALTIES,
  TEMPERATURES,
  TOKEN_BITMASKS,
  TOP_KS,
  TOP_PS,
} from "./sampler-ports.ts";

/** What a score is that can't win: fp16's lowest. */
const LOWEST = -65504;

/** For a graph of the positions generation, with one answer a row. */
export const sampleTokens: Pass = graphPass({
  name: "aic100-sample-tokens",
  doc: "Chooses each row's next token in the graph, which then gives tokens and no logits.",
  params: schema.schema({
    /** How many of the best tokens are chosen among. */
    candidates: schema.integer(1),
    /** With an input that says which tokens are allowed. */
    guided: schema.boolean,
  }),
  run(graph, { candidates, guided }) {
    const sampling = rewriteGraph(graph, {
      dialects: [aic],
      end(b, map) {
        const given = new Map(graph.inputs.map((value) => [value.id, map(value)]));
        const logits = map(graph.outputs.find(({ id }) => id === "logits")!);
        const vocab = logits.type.shape.at(-1) as number;
        const call = { given, vocab, guided, most: Math.min(candidates, vocab) };
        const scores = penalised(b, b.reshape(logits, [BATCH, vocab]), call);
        const tokens = b.cast(chosen(b, scores, call), "i64");
        b.output(b.as(`/${NEXT_TOKENS}`).reshape(tokens, [BATCH, 1, 1]));
      },
    });
    return withoutLogits(sampling, graph.outputs.length > 1);
  },
});

/** Who asks for more than logits looks into the model, and wants those too. */
function withoutLogits(graph: Graph, isExposed: boolean): Graph {
  return isExposed ? graph : { ...graph, outputs: graph.outputs.filter(({ id }) => id !== "logits") };
}

interface Call {
  /** The graph's inputs, by name. */
  readonly given: ReadonlyMap<string, Value>;
  readonly vocab: number;
  readonly guided: boolean;
  /** How many tokens are chosen among. */
  readonly most: number;
}

/** Scores (batch, vocab) less what was said before, and with nothing that isn't allowed. */
function penalised(b: Builder, scores: Value, call: Call): Value {
  const { vocab, guided } = call;
  const { repeated, present } = remembered(b, call);
  const one = b.scalar(1, scores);
  const zero = b.scalar(0, scores);
  const factor = b.where(repeated, option(b, REPETITION_PENALTIES), one);
  const less = b.where(b.compare("lt", scores, zero), b.mul(scores, factor), b.binary("div", scores, factor));
  const penalty = b.where(present, option(b, PRESENCE_PENALTIES), zero);
  const left = b.sub(less, penalty);
  if (!guided) return left;
  return b.where(b.input(TOKEN_BITMASKS, "bool", [BATCH, vocab]), left, b.scalar(LOWEST, left));
}

/**
 * What each row said so far, (batch, vocab), this call included. A prompt's tokens count as repeated, an answer's as present
 * too. A prompt that starts at 0 forgets what its slot held, and whatever a prompt's call reaches has no answer yet.
 */
function remembered(b: Builder, { given, vocab }: Call): { readonly repeated: Value; readonly present: Value } {
  const positions = b.cast(given.get("position_ids")!, "i32");
  const none = b.constant(0, "bool");
  const zero = b.constant(0, "i32");
  const isPrompt = b.compare("gt", b.reduce("max", b.iota(SEQ), [0]), zero); // (1)
  const accepted = b.cast(b.input(ACCEPTED, "i64", [BATCH, SEQ]), "i32");
  const tokens = b.where(isPrompt, b.cast(given.get("input_ids")!, "i32"), accepted);
  const said = flags(b, { tokens, positions, vocab });

  const first = b.slice(positions, -1, 0, 1); // (batch, 1)
  const starts = b.binary("and", isPrompt, b.compare("eq", first, zero));
  const reached = b.binary("and", isPrompt, b.compare("ge", first, zero));
  const slots = given.get("batch_index");
  const keep = (name: string, forgets: Value, news: Value): Value => {
    const shape = [slots ? size(b, FULL_BATCH) : BATCH, vocab];
    const role = { kind: "other", name } as const;
    const held = b.state(name, { dtype: "bool", shape }, { role, update: { kind: "replace" } });
    const next = `/${name}${RETAINED}`;
    const before = b.where(forgets, none, slots ? b.gather(held, b.reshape(slots, [BATCH])) : held);
    const now = (slots ? b : b.as(next)).binary("or", before, news);
    b.setNext(held, slots ? b.as(next).scatter(held, slots, now, "wrap") : now);
    return now;
  };
  return {
    repeated: keep(REPETITION_BUFFER, starts, said),
    present: keep(PRESENCE_BUFFER, reached, b.where(isPrompt, none, said)),
  };
}

/** Flags (batch, vocab) of these tokens (batch, seq). One that is no token, or is nowhere, goes to a column that is cut off. */
function flags(
  b: Builder,
  { tokens, positions, vocab }: { readonly tokens: Value; readonly positions: Value; readonly vocab: number },
): Value {
  const zero = b.constant(0, "i32");
  const beyond = b.constant(vocab, "i32");
  const isToken = b.binary("and", b.compare("ge", tokens, zero), b.compare("lt", tokens, beyond));
  const counts = b.binary("and", isToken, b.compare("ge", positions, zero));
  const shape: Dim[] = [BATCH, SEQ, 1];
  const rows = b.expand(b.reshape(b.iota(BATCH), [BATCH, 1, 1]), shape);
  const columns = b.reshape(b.where(counts, tokens, beyond), shape);
  const blank = b.expand(b.constant(0, "bool"), [BATCH, vocab + 1]);
  const marks = b.expand(b.constant(1, "bool"), [BATCH, SEQ]);
  return b.slice(b.scatter(blank, b.concat([rows, columns]), marks, "wrap"), -1, 0, vocab);
}

/**
 * Tokens (batch, 1) i32 by each row's temperature, top-k, top-p and min-p, as `DeviceSampling` orders them: of the candidates that
 * stay, the one at which probabilities, added up by ascending id, pass the row's first random number.
 */
function chosen(b: Builder, scores: Value, { vocab, most }: Call): Value {
  const best = b.topk(scores, most); // (batch, most), the best first
  const zero = b.scalar(0, scores);
  const one = b.scalar(1, scores);
  const temperature = option(b, TEMPERATURES);
  const isGreedy = b.compare("eq", temperature, zero);
  const top = b.slice(best.values, -1, 0, 1);
  const scaled = b.binary("div", b.sub(best.values, top), b.where(isGreedy, one, temperature));

  const asked = b.input(TOP_KS, "i32", [BATCH, 1]);
  const all = b.constant(most, "i32");
  const least = b.constant(1, "i32");
  const isCount = b.binary("and", b.compare("ge", asked, least), b.compare("le", asked, all));
  const last = b.sub(b.where(isCount, asked, all), least);
  const first = b.compare("eq", b.reshape(b.iota(most), [1, most]), b.constant(0, "i32"));
  // However high the temperature, what isn't allowed has no share.
  const allowed = b.binary("or", first, b.compare("gt", best.values, b.scalar(LOWEST, scores)));
  const reaches = b.compare("ge", scaled, b.gather(scaled, last, { axis: -1, along: true }));
  const isTop = b.binary("and", allowed, reaches);

  const shares = b.softmax(b.where(isTop, scaled, b.scalar(LOWEST, scaled)));
  const nucleus = option(b, TOP_PS);
  const before = b.cumsum(shares, -1, { exclusive: true });
  const inside = b.binary("or", b.compare("lt", before, nucleus), b.compare("ge", nucleus, one));
  const floor = b.mul(option(b, MIN_PS), b.slice(shares, -1, 0, 1));
  const probable = b.binary("and", inside, b.compare("ge", shares, floor));
  const weights = b.where(b.binary("and", isTop, b.binary("or", first, probable)), shares, zero);
  const stays = b.compare("gt", weights, zero);

  const upTo = b.compare("le", b.reshape(best.ids, [BATCH, 1, most]), b.reshape(best.ids, [BATCH, most, 1]));
  const sums = b.matmul(b.cast(upTo, "f32"), b.reshape(weights, [BATCH, most, 1]));
  const random = b.slice(b.input(RANDOM_NUMBERS, "f32", [BATCH, most]), -1, 0, 1);
  const share = b.mul(random, b.reduce("sum", weights, [-1]));
  const passed = b.binary("and", stays, b.compare("gt", b.reshape(sums, [BATCH, most]), share));
  const nobody = b.constant(vocab, "i32");
  const drawn = b.reduce("min", b.where(passed, best.ids, nobody), [-1]);
  // Rounding may leave the sum a little short of the share: then it is the last that stays.
  const final = b.reduce("max", b.where(stays, best.ids, b.constant(-1, "i32")), [-1]);
  const token = b.where(b.compare("lt", drawn, nobody), drawn, final);
  return b.where(isGreedy, b.slice(best.ids, -1, 0, 1), token);
}

function option(b: Builder, name: string): Value {
  return b.input(name, "f32", [BATCH, 1]);
}
