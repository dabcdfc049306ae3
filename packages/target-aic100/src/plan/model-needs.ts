import { dimValue, type Graph, type Op, type Value } from "@llm/core-ir";

/** What of a model takes a device's memory and time, counted in elements: what those are kept in is the plan's business. */
export interface ModelNeeds {
  /** Of matrices that are multiplied with, of those of experts, and of everything else. */
  readonly matrices: number;
  readonly experts: number;
  readonly others: number;
  /** How many of a layer's experts a token takes, as a share. */
  readonly expertShare: number;
  readonly caches: readonly Cache[];
  /** Multiplications and additions for one token, of matrices alone. */
  readonly macs: number;
  readonly vocab: number;
}

/** What one layer keeps of each token. */
export interface Cache {
  readonly heads: number;
  readonly width: number; // of a head, keys and values together
  /** Absent where what is kept has no heads. */
  readonly queryHeads?: number;
  /** Query heads and their width: what attention multiplies. */
  readonly queries: number;
  readonly window?: number;
}

/** Walks the model's graph as it was built; no weights are needed. */
export function modelNeeds(graph: Graph): ModelNeeds {
  const weights = new Set(graph.weights.map(({ value }) => value.id));
  const [multiplied, expert] = [new Map<string, number>(), new Map<string, number>()];
  const others = new Map<string, number>();
  const caches: Cache[] = [];
  let macs = 0;
  let [chosen, offered] = [0, 0];
  for (const op of graph.ops) {
    const own = op.ins.filter((value): value is Value => value !== null && weights.has(value.id));
    for (const value of own) {
      const kind = matrixKind(op, value);
      (kind === "matrix" ? multiplied : kind === "expert" ? expert : others).set(value.id, sizeOf(value));
    }
    const size = own
      .filter((value) => matrixKind(op, value) !== "other")
      .reduce((sum, value) => sum + sizeOf(value), 0);
    if (op.kind === "experts") {
      const [of, k] = [Number(own[0]!.type.shape[0]), Number(op.ins[1]!.type.shape.at(-1))];
      chosen += k;
      offered += of;
      macs += (size * k) / of;
    } else macs += size;
    const cache = cacheOf(op);
    if (cache) caches.push(cache);
  }
  return {
    matrices: sum(multiplied),
    experts: sum(expert),
    // A table that is looked up and multiplied with is there in both forms.
    others: sum(others),
    expertShare: offered === 0 ? 1 : chosen / offered,
    caches,
    macs,
    vocab: Number(graph.outputs.find(({ id }) => id === "logits")?.type.shape.at(-1) ?? 0),
  };
}

function matrixKind({ kind, ins }: Op, value: Value): "matrix" | "expert" | "other" {
  if (value.type.shape.length < 2) return "other";
  if (kind === "experts") return "expert";
  if (kind === "latent_attention") return "matrix";
  return kind === "linear" && ins[1]?.id === value.id ? "matrix" : "other";
}

function cacheOf({ kind, ins, attrs }: Op): Cache | undefined {
  const window = typeof attrs.window === "number" ? { window: attrs.window } : {};
  if (kind === "attention") {
    const [q, k, v] = ins.map((value) => value?.type.shape ?? []);
    const width = Number(k!.at(-1)) + Number(v!.at(-1));
    const queryHeads = Number(q!.at(-2));
    return { heads: Number(k!.at(-2)), queryHeads, width, queries: queryHeads * width, ...window };
  }
  if (kind === "latent_attention") {
    const [q, , c, rope] = ins.map((value) => value?.type.shape ?? []);
    const width = Number(c!.at(-1)) + Number(rope!.at(-1));
    return { heads: 1, width, queries: Number(q!.at(-2)) * (width + Number(c!.at(-1))), ...window };
  }
  return undefined;
}

/** A call, as far as its working set depends on it. */
export interface CallShape {
  readonly rows: number;
  /** Of each row. */
  readonly tokens: number;
  readonly ctxLen: number;
  readonly cores: number;
}

/**
 * Elements of the largest op's operands and results: what is needed at once beside weights and caches. Attention's scores are
 * made head by head and row by row, as products of batches are: one on each core at a time, with what softmax makes of it.
 */
export function workingSet(graph: Graph, { rows, tokens, ctxLen, cores }: CallShape): number {
  const weights = new Set(graph.weights.map(({ value }) => value.id));
  const sizes = { tokens: rows * tokens, outputs: rows, context: ctxLen };
  let most = 0;
  for (const op of graph.ops) {
    const values = [...op.ins, ...op.outs].filter((value): value is Value => value !== null && !weights.has(value.id));
    const own = values.reduce(
      (total, { type }) => total + type.shape.reduce((n: number, dim) => n * dimValue(dim, sizes), 1),
      0,
    );
    most = Math.max(most, own + scoresOf(op, { rows, tokens, ctxLen, cores }));
  }
  return most;
}

function scoresOf(op: Op, { rows, tokens, ctxLen, cores }: CallShape): number {
  const cache = cacheOf(op);
  if (!cache) return 0;
  const heads = Number(op.ins[0]!.type.shape.at(-2));
  return 2 * Math.min(heads * rows, cores) * tokens * Math.min(ctxLen, cache.window ?? ctxLen);
}

function sizeOf({ type }: Value): number {
  return type.shape.reduce((n: number, dim) => n * Number(dim), 1);
}

function sum(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((a, b) => a + b, 0);
}
