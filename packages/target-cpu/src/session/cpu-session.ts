import { NativeError } from "@llm/runtime-native";
import { type BestSearch, type OrtSession, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import {
  type ForkMove,
  type Limits,
  OneAtATime,
  type Readers,
  type Row,
  type RowResult,
  type Session,
  SessionError,
  SlotLedger,
  type Want,
} from "@llm/target";
import { SPAN_INPUT } from "../lower/inputs.ts";
import { HIDDEN_OUTPUT, READS_INPUT } from "../lower/tell-hidden.ts";
import { Adapters, MAX_ADAPTERS } from "./adapters.ts";
import { answer, searchFor } from "./answer.ts";
import { type Call, planCalls } from "./calls.ts";
import { KeptRows } from "./kept-rows.ts";
import { KvCache } from "./kv-cache.ts";
import { inPieces, tokensAtOnce } from "./pieces.ts";
import { readSlot, writeSlot } from "./saved-slot.ts";
import { NEXT, statePorts } from "./states.ts";

/** From so many tokens on, what a call computes in between is worth giving back: it would stay beside the next one's. */
const MANY_TOKENS = 64;

/** What one more row of a token costs, of what reading the weights does; and how many tokens' attention costs as much as that. */
const [ROW_COST, DEEP_TOKENS] = [0.3, 3000];

/** The outputs that a step's results are made of. */
type Told = "logits" | typeof HIDDEN_OUTPUT;

/** What the model takes and gives in calls on some slots. */
interface Bound {
  readonly inputs: Record<string, OrtTensor>;
  readonly outputs: Record<string, OrtTensor>;
}

/** A row to be answered once its call has run. */
interface Asked {
  readonly index: number;
  readonly want: Want;
  readonly values: Float32Array;
  readonly search: BestSearch | undefined;
}

export interface CpuSessionOptions {
  readonly slots: number;
  readonly context: number;
  /** Most tokens of a row. */
  readonly chunk: number;
  /** Whose histories these are: what a saved slot is known by. */
  readonly owner?: string;
  /** How many tokens of a row that ends after `total` go through the model at once; unless said, as many as memory is planned for. */
  readonly atOnce?: (total: number) => number;
  /** What unwritten parts of the cache hold. */
  readonly cacheFill?: number;
  readonly readers?: Readers;
}

/** A model and the histories it holds, over one loaded ONNX model. */
export class CpuSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly #model: OrtSession;
  readonly #ledger: SlotLedger;
  readonly #cache: KvCache;
  readonly #adapters: Adapters;
  readonly #readers: Readers | undefined;
  readonly #owner: string;
  readonly #atOnce: (total: number) => number;
  readonly #span: Int32Array<ArrayBuffer>;
  readonly #told: ReadonlyMap<Told, KeptRows>;
  readonly #bound = new WeakMap<object, Bound>(); // by the cache's views
  readonly #calls = new OneAtATime();

  constructor(model: OrtSession, width: number, options: CpuSessionOptions) {
    const { slots, context, chunk, owner = "", cacheFill, readers } = options;
    this.#model = model;
    this.#adapters = new Adapters(model.inputs);
    this.#readers = readers;
    this.#owner = owner;
    this.#atOnce = options.atOnce ?? ((total) => tokensAtOnce(width, total));
    const vocab = Number(model.outputs.find(({ name }) => name === "logits")!.shape[1]);
    // A mesh's last stage has none, nor has an artefact from before there were any.
    const hidden = model.outputs.some(({ name, shape }) => name === HIDDEN_OUTPUT && shape[1] === width);
    this.limits = {
      slots,
      context,
      cacheTokens: slots * context,
      vocab,
      width,
      chunk,
      verify: 4, // a few tokens cost what one does: the weights are read once
      resume: true,
      rewind: context,
      lockstep: false,
      fork: "copy",
      wants: ["logits", ...(hidden ? (["hidden"] as const) : []), "top", "token"],
      sampling: ["greedy"],
      adapters: this.#adapters.possible && readers ? MAX_ADAPTERS : 0,
      batchInvariant: false, // one token and several take different kernels
      ...(model.inputs.some(({ name }) => name === "reach") ? { reach: true } : {}),
    };
    this.#ledger = new SlotLedger(this.limits);
    this.#cache = new KvCache(statePorts(model), slots, context, cacheFill);
    this.#told = new Map<Told, KeptRows>([
      ["logits", new KeptRows(vocab)],
      ...(hidden ? [[HIDDEN_OUTPUT, new KeptRows(width)] as const] : []),
    ]);
    const spans = model.inputs.some(({ name }) => name === SPAN_INPUT);
    this.#span = spans ? Int32Array.from({ length: context }, (_, i) => i) : new Int32Array(0);
  }

  /** Bytes of keys and values there is room for now. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  async step(given: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#calls.run(async () => {
      this.#ledger.check(given);
      this.#adapters.check(given);
      const { rows, join } = inPieces(given, this.#atOnce);
      const calls = planCalls(rows, (slot) => this.#idleCost(slot));
      this.#reserve(Math.max(0, ...calls.map((call) => this.#columns(call, rows))));
      const results: RowResult[] = rows.map(() => ({}));
      const rooms = new Map([...this.#told].map(([told, kept]) => [told, kept.room(countOf(told, rows))]));
      try {
        for (const call of calls) await this.#run(call, rows, rooms, results);
      } catch (error) {
        // Some of what the rows were to replace may be overwritten.
        for (const { slot, at } of given) this.#ledger.trim(slot, at);
        throw error;
      }
      this.#ledger.commit(given);
      return join(results);
    });
  }

  async trim(slot: number, length: number): Promise<void> {
    await this.#calls.run(async () => {
      this.#ledger.trim(slot, length);
    });
  }

  async fork(moves: readonly ForkMove[]): Promise<void> {
    await this.#calls.run(async () => {
      this.#ledger.fork(moves);
      try {
        this.#cache.copy(moves);
      } catch (error) {
        for (const { to } of moves) this.#ledger.trim(to, 0);
        throw error;
      }
    });
  }

  async save(slot: number): Promise<Uint8Array> {
    return this.#calls.run(async () => {
      const tokens = this.#ledger.length(slot);
      return writeSlot({ tokens, values: this.#cache.read(slot, tokens) }, this.#owner);
    });
  }

  async restore(slot: number, saved: Uint8Array): Promise<number> {
    return this.#calls.run(async () => {
      const { tokens, values } = readSlot(saved, this.#owner, this.#cache.columnFloats);
      // Room first: what is said to be held has to be there.
      this.#reserve(Math.min(tokens, this.limits.context));
      this.#ledger.replace(slot, tokens);
      this.#cache.write(slot, tokens, values);
      return tokens;
    });
  }

  async adapter(path: string): Promise<number> {
    return this.#calls.run(async () => {
      if (this.limits.adapters === 0 || !this.#readers)
        throw new SessionError("unsupported", "this model wasn't made to take adapters: make it with --adapters");
      return this.#adapters.add(await this.#readers.adapter(path));
    });
  }

  async close(): Promise<void> {
    if (!this.#calls.close()) return;
    this.#cache.clear();
    await this.#model.close();
  }

  /** Room for so many columns; of each slot, what is held is kept. */
  #reserve(columns: number): void {
    this.#cache.reserve(columns, (slot) => this.#ledger.length(slot));
  }

  /** What it costs to compute a token for a slot that has no row, of what reading the weights once more would. */
  #idleCost(slot: number): number {
    const held = this.#ledger.length(slot);
    return held < this.limits.context ? ROW_COST + held / DEEP_TOKENS : Number.POSITIVE_INFINITY;
  }

  /** Where a row's tokens begin; for a slot that idles, past what it holds. */
  #at(call: Call, index: number, rows: readonly Row[]): number {
    const row = call.rows[index];
    return row === undefined ? this.#ledger.length(call.first + index) : rows[row]!.at;
  }

  #columns(call: Call, rows: readonly Row[]): number {
    return Math.max(...call.rows.map((_, index) => this.#at(call, index, rows) + call.seq));
  }

  /** Runs one call; what its rows want is written into the step's rooms. */
  async #run(
    call: Call,
    rows: readonly Row[],
    rooms: ReadonlyMap<Told, (count: number) => OrtTensor>,
    results: RowResult[],
  ): Promise<void> {
    const { first, count } = call;
    const { inputs, wanted } = this.#inputs(call, rows);
    const bound = this.#boundTo(this.#cache.view(first, count));
    Object.assign(bound.inputs, inputs);
    for (const [told, room] of rooms) bound.outputs[told] = room(wanted[told].length);
    const asked = this.#asked(call, rows, bound.outputs);
    try {
      const best = asked.flatMap(({ search }) => search ?? []);
      await this.#model.run(bound.inputs, bound.outputs, { best, tidy: count * call.seq >= MANY_TOKENS });
    } catch (cause) {
      if (!NativeError.isInstance(cause)) throw cause;
      throw new SessionError("device", cause.message, { cause });
    }
    for (const { index, want, values, search } of asked) results[index] = answer(want, values, search);
  }

  /** What a call on these states takes and gives, to be filled up at every step: the states are most of it. */
  #boundTo(states: Readonly<Record<string, OrtTensor>>): Bound {
    let bound = this.#bound.get(states);
    if (bound === undefined) {
      const kept = Object.fromEntries(Object.entries(states).map(([name, tensor]) => [NEXT + name, tensor]));
      bound = { inputs: { ...states }, outputs: kept };
      this.#bound.set(states, bound);
    }
    return bound;
  }

  /** Which rows of a call are to be answered, and where what answers them will be. */
  #asked(call: Call, rows: readonly Row[], outputs: Readonly<Record<string, OrtTensor>>): readonly Asked[] {
    const next: Record<Told, number> = { logits: 0, hidden: 0 };
    return call.rows.flatMap((index) => {
      const want = index === undefined ? undefined : rows[index]!.want;
      if (index === undefined || !want) return [];
      const told = toldFor(want);
      const { shape, data } = outputs[told]!;
      const [from, width] = [next[told], shape[1]!];
      next[told] += want.last;
      const values = (data as Float32Array).subarray(from * width, next[told] * width);
      return { index, want, values, search: searchFor(want, values, width) };
    });
  }

  /** A call's inputs but for the cache, and which of its tokens are told of. */
  #inputs(call: Call, rows: readonly Row[]): { inputs: Record<string, OrtTensor>; wanted: Record<Told, number[]> } {
    const { count, seq } = call;
    const size = count * seq;
    const columns = { ids: new Int32Array(size), positions: new Int32Array(size), reach: new Int32Array(size) };
    const wanted: Record<Told, number[]> = { logits: [], hidden: [] };
    call.rows.forEach((index, row) => {
      const at = this.#at(call, row, rows);
      const given = index === undefined ? undefined : rows[index];
      for (let i = 0; i < seq; i++) columns.positions[row * seq + i] = at + i;
      columns.reach.fill(given?.reach ?? at + seq, row * seq, (row + 1) * seq);
      if (given) columns.ids.set(given.tokens, row * seq);
      const want = given?.want;
      if (want) for (let i = seq - want.last; i < seq; i++) wanted[toldFor(want)].push(row * seq + i);
    });
    const inputs: Record<string, OrtTensor> = {};
    for (const { name } of this.#model.inputs)
      if (name in columns) inputs[name] = ortTensor("i32", [count, seq], columns[name as keyof typeof columns]);
      else if (name === "rows") inputs[name] = indexes(wanted.logits);
      else if (name === READS_INPUT) inputs[name] = indexes(wanted.hidden);
      else if (name === SPAN_INPUT) {
        const total = this.#columns(call, rows);
        inputs[name] = ortTensor("i32", [total], this.#span.subarray(0, total));
      }
    const adapters = call.rows.map((index) => (index === undefined ? 0 : (rows[index]!.adapter ?? 0)));
    return { inputs: { ...inputs, ...this.#adapters.inputs(Int32Array.from(adapters)) }, wanted };
  }
}

function toldFor({ kind }: Want): Told {
  return kind === "hidden" ? HIDDEN_OUTPUT : "logits";
}

/** Rows of an output that a step's rows ask for. */
function countOf(told: Told, rows: readonly Row[]): number {
  return rows.reduce((count, { want }) => count + (want && toldFor(want) === told ? want.last : 0), 0);
}

function indexes(tokens: readonly number[]): OrtTensor {
  return ortTensor("i32", [tokens.length], Int32Array.from(tokens));
}
