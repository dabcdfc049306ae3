import {
  elementsOf,
  type OrtPort,
  type OrtSession,
  type OrtTensor,
  type OrtTensors,
  ortTensor,
} from "@llm/runtime-native/ort";
import {
  type Limits,
  type ModelCard,
  OneAtATime,
  type Row,
  type RowResult,
  type Session,
  SessionError,
  SlotLedger,
  TargetError,
} from "@llm/target";
import { lastRows } from "./half-logits.ts";

/** These files give the logits of every token: a long prompt at once would be gigabytes of them. */
const CHUNK = 256;

/** Inputs that are the cache. */
export const PAST: RegExp = /^past_key_values\.(\d+)\.(key|value|key_value)$/;
/** Inputs that this session knows how to fill besides the cache. */
const KNOWN = new Set(["input_ids", "attention_mask", "position_ids", "use_cache_branch"]);

/**
 * A session over an ONNX file as it is published for transformers.js: the cache goes in as `past_key_values.*` and comes
 * out longer as `present.*`, a row at a time. Slower than what is built here, since the cache is copied at each step; it needs
 * nothing but the file.
 */
export class PublishedSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly #model: OrtSession;
  readonly #ledger: SlotLedger;
  readonly #pasts: readonly OrtPort[];
  readonly #caches: (OrtTensors | undefined)[];
  readonly #calls = new OneAtATime();

  constructor(
    model: OrtSession,
    card: ModelCard,
    { slots, context }: { readonly slots: number; readonly context: number },
  ) {
    this.#model = model;
    this.#pasts = model.inputs.filter(({ name }) => PAST.test(name));
    this.#caches = new Array(slots);
    const strange = model.inputs.find(({ name }) => !KNOWN.has(name) && !PAST.test(name));
    if (strange)
      throw new TargetError(
        "artefact-damaged",
        `the ONNX file has an input "${strange.name}" that no language model of transformers.js has`,
      );
    if (this.#pasts.length === 0)
      throw new TargetError(
        "artefact-damaged",
        "the ONNX file keeps no cache (past_key_values): each token would cost the whole text again",
      );
    this.limits = {
      slots,
      context,
      cacheTokens: slots * context,
      vocab: card.vocab,
      width: card.width,
      chunk: Math.min(context, CHUNK),
      verify: 1,
      resume: true,
      rewind: context,
      lockstep: false,
      fork: "copy",
      wants: ["logits"],
      sampling: [],
      adapters: 0,
      batchInvariant: false,
    };
    this.#ledger = new SlotLedger(this.limits);
  }

  step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#calls.run(async () => {
      this.#ledger.check(rows);
      const results: RowResult[] = [];
      // Nothing is kept before all of it is done: a step that fails leaves every other slot as it was.
      const grown = new Map<number, OrtTensors>();
      for (const row of rows) {
        try {
          results.push(await this.#row(row, grown));
        } catch (cause) {
          throw this.#lost(row.slot, cause);
        }
      }
      for (const [slot, cache] of grown) this.#caches[slot] = cache;
      this.#ledger.commit(rows);
      return results;
    });
  }

  trim(slot: number, length: number): Promise<void> {
    return this.#calls.run(async () => {
      if (this.#ledger.trim(slot, length)) this.#cut(slot, length);
    });
  }

  fork(moves: Parameters<NonNullable<Session["fork"]>>[0]): Promise<void> {
    return this.#calls.run(async () => {
      this.#ledger.fork(moves);
      // Tensors are never written again, so that copies may share them.
      const copies = moves.map(({ from, length }) => this.#cutOf(this.#caches[from], length));
      for (const [i, { to }] of moves.entries()) this.#caches[to] = copies[i];
    });
  }

  async close(): Promise<void> {
    if (!this.#calls.close()) return;
    await this.#model.close();
  }

  async #row({ slot, at, tokens, want }: Row, grown: Map<number, OrtTensors>): Promise<RowResult> {
    const before = this.#cutOf(this.#caches[slot], at);
    const outputs = await this.#model.run(this.#inputs(before, at, tokens), this.#wanted);
    const { vocab } = this.limits;
    const { logits } = outputs;
    const wide = logits?.shape[logits.shape.length - 1];
    if (logits === undefined || wide !== vocab)
      throw new TargetError(
        "artefact-damaged",
        `the ONNX file gives ${wide ?? "no"} logits, but its config says vocab_size ${vocab}; one of them belongs to another model`,
      );
    grown.set(slot, Object.fromEntries(this.#pasts.map(({ name }) => [name, outputs[presentOf(name)]!])));
    return want ? { logits: lastRows(logits, want.last * vocab) } : {};
  }

  #inputs(cache: OrtTensors | undefined, at: number, tokens: Int32Array): OrtTensors {
    const seq = tokens.length;
    const whole = (length: number, value: (i: number) => bigint): OrtTensor =>
      ortTensor(
        "i64",
        [1, length],
        BigInt64Array.from({ length }, (_, i) => value(i)),
      );
    const all: Record<string, OrtTensor> = {
      input_ids: whole(seq, (i) => BigInt(tokens[i])),
      attention_mask: whole(at + seq, () => 1n),
      position_ids: whole(seq, (i) => BigInt(at + i)),
      use_cache_branch: ortTensor("bool", [1], Uint8Array.of(at > 0 ? 1 : 0)),
      ...(cache ?? this.#empty()),
    };
    return Object.fromEntries(this.#model.inputs.map(({ name }) => [name, all[name]]));
  }

  get #wanted(): Record<string, null> {
    return Object.fromEntries(
      ["logits", ...this.#pasts.map(({ name }) => presentOf(name))].map((name) => [name, null]),
    );
  }

  /** The cache of no tokens: heads and their width as declared, a length of none. */
  #empty(): OrtTensors {
    const shapeOf = ({ shape }: OrtPort): number[] =>
      shape.map((dim, axis) => (axis === shape.length - 2 ? 0 : typeof dim === "number" ? dim : 1));
    return Object.fromEntries(this.#pasts.map((port) => [port.name, ortTensor(port.dtype, shapeOf(port))]));
  }

  /** A run that failed: its slot is given up, so that nobody tries the same again for ever. */
  #lost(slot: number, cause: unknown): SessionError {
    this.#caches[slot] = undefined;
    this.#ledger.trim(slot, 0);
    return new SessionError("device", `the ONNX file could not be run: ${(cause as Error).message}`, {
      cause,
      lost: [slot],
    });
  }

  #cut(slot: number, length: number): void {
    this.#caches[slot] = this.#cutOf(this.#caches[slot], length);
  }

  #cutOf(cache: OrtTensors | undefined, length: number): OrtTensors | undefined {
    if (!cache || length === 0) return undefined;
    return Object.fromEntries(Object.entries(cache).map(([name, tensor]) => [name, firstTokens(tensor, length)]));
  }
}

const presentOf = (past: string): string => past.replace("past_key_values", "present");

/** The first tokens of a cache tensor: (1, heads, tokens, width), or (1, tokens, width) where keys and values are one. */
function firstTokens(tensor: OrtTensor, length: number): OrtTensor {
  const [held, width] = tensor.shape.slice(-2);
  if (held === length) return tensor;
  const before = tensor.shape.slice(0, -2);
  const cut = ortTensor(tensor.dtype, [...before, length, width]);
  for (let head = 0; head < elementsOf(before); head++) {
    const from = head * held * width;
    cut.data.set(tensor.data.subarray(from, from + length * width) as never, head * length * width);
  }
  return cut;
}
