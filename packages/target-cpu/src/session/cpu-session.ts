import { NativeError } from "@llm/runtime-native";
import { type OrtSession, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import {
  type ForkMove,
  type Limits,
  type Row,
  type RowResult,
  type Session,
  SessionError,
  SlotLedger,
} from "@llm/target";
import { SPAN_INPUT } from "../lower/inputs.ts";
import { answer } from "./answer.ts";
import { type Call, planCalls } from "./calls.ts";
import { KvCache } from "./kv-cache.ts";
import { readSlot, writeSlot } from "./saved-slot.ts";
import { NEXT, statePorts } from "./states.ts";

/** Rows of logits whose memory a session keeps from step to step. */
const KEPT_ROWS = 64;

export interface CpuSessionOptions {
  readonly slots: number;
  readonly context: number;
  /** Most tokens of a row. */
  readonly chunk: number;
  /** Whose histories these are: what a saved slot is known by. */
  readonly owner?: string;
  /** What unwritten parts of the cache hold. */
  readonly cacheFill?: number;
}

/** A model and the histories it holds, over one loaded ONNX model. */
export class CpuSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly #model: OrtSession;
  readonly #ledger: SlotLedger;
  readonly #cache: KvCache;
  readonly #owner: string;
  readonly #span: Int32Array<ArrayBuffer>;
  /** Results are views of it until the next step. */
  #logits = new Float32Array(0);
  #state: "open" | "busy" | "closed" = "open";

  constructor(model: OrtSession, width: number, { slots, context, chunk, owner = "", cacheFill }: CpuSessionOptions) {
    this.#model = model;
    this.#owner = owner;
    const vocab = Number(model.outputs.find(({ name }) => name === "logits")!.shape[1]);
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
      wants: ["logits", "top", "token"],
      sampling: ["greedy"],
      adapters: 0,
      batchInvariant: false, // one token and several take different kernels
      ...(model.inputs.some(({ name }) => name === "reach") ? { reach: true } : {}),
    };
    this.#ledger = new SlotLedger(this.limits);
    this.#cache = new KvCache(statePorts(model), slots, context, cacheFill);
    this.#span = Int32Array.from({ length: context }, (_, i) => i);
  }

  /** Bytes of keys and values there is room for now. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  async step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#alone(async () => {
      this.#ledger.check(rows);
      const calls = planCalls(rows, (slot) => this.#ledger.length(slot) < this.limits.context);
      this.#cache.reserve(Math.max(0, ...calls.map((call) => this.#columns(call, rows))));
      const results: RowResult[] = rows.map(() => ({}));
      const logits = this.#room(rows.reduce((count, { want }) => count + (want?.last ?? 0), 0));
      let done = 0;
      try {
        for (const call of calls) done += await this.#run(call, rows, logits.subarray(done), results);
      } catch (error) {
        // Some of what the rows were to replace may be overwritten.
        for (const { slot, at } of rows) this.#ledger.trim(slot, at);
        throw error;
      }
      this.#ledger.commit(rows);
      return results;
    });
  }

  async trim(slot: number, length: number): Promise<void> {
    await this.#alone(async () => {
      this.#ledger.trim(slot, length);
    });
  }

  async fork(moves: readonly ForkMove[]): Promise<void> {
    await this.#alone(async () => {
      this.#ledger.fork(moves);
      this.#cache.copy(moves);
    });
  }

  async save(slot: number): Promise<Uint8Array> {
    return this.#alone(async () => {
      const tokens = this.#ledger.length(slot);
      return writeSlot({ tokens, values: this.#cache.read(slot, tokens) }, this.#owner);
    });
  }

  async restore(slot: number, saved: Uint8Array): Promise<number> {
    return this.#alone(async () => {
      const { tokens, values } = readSlot(saved, this.#owner, this.#cache.columnFloats);
      this.#ledger.replace(slot, tokens);
      this.#cache.reserve(tokens);
      this.#cache.write(slot, tokens, values);
      return tokens;
    });
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    if (this.#state === "busy") throw new SessionError("busy", "a step is still running; close after its answer");
    this.#state = "closed";
    this.#cache.clear();
    await this.#model.close();
  }

  /** Where a row's tokens begin; for a slot that idles, past what it holds. */
  #at(call: Call, index: number, rows: readonly Row[]): number {
    const row = call.rows[index];
    return row === undefined ? this.#ledger.length(call.first + index) : rows[row]!.at;
  }

  #columns(call: Call, rows: readonly Row[]): number {
    return Math.max(...call.rows.map((_, index) => this.#at(call, index, rows) + call.seq));
  }

  /** Runs one call; `logits` has room for its rows first. Gives how much of it was written. */
  async #run(call: Call, rows: readonly Row[], logits: Float32Array, results: RowResult[]): Promise<number> {
    const { first, count } = call;
    const { inputs, wanted } = this.#inputs(call, rows);
    const { vocab } = this.limits;
    const states = this.#cache.view(first, count);
    const kept = Object.fromEntries(Object.entries(states).map(([name, tensor]) => [NEXT + name, tensor]));
    const written = logits.subarray(0, wanted * vocab);
    try {
      const out = ortTensor("f32", [wanted, vocab], written);
      await this.#model.run({ ...inputs, ...states }, { logits: out, ...kept });
    } catch (cause) {
      if (!NativeError.isInstance(cause)) throw cause;
      throw new SessionError("device", cause.message, { cause });
    }
    let next = 0;
    for (const index of call.rows) {
      const want = index === undefined ? undefined : rows[index]!.want;
      if (index === undefined || !want) continue;
      results[index] = answer(want, written.subarray(next * vocab, (next + want.last) * vocab), vocab);
      next += want.last;
    }
    return written.length;
  }

  /** A call's inputs but for the cache, and how many rows of logits it gives. */
  #inputs(call: Call, rows: readonly Row[]): { inputs: Record<string, OrtTensor>; wanted: number } {
    const { count, seq } = call;
    const size = count * seq;
    const columns = { ids: new Int32Array(size), positions: new Int32Array(size), reach: new Int32Array(size) };
    const wanted: number[] = [];
    call.rows.forEach((index, row) => {
      const at = this.#at(call, row, rows);
      const given = index === undefined ? undefined : rows[index];
      for (let i = 0; i < seq; i++) columns.positions[row * seq + i] = at + i;
      columns.reach.fill(given?.reach ?? at + seq, row * seq, (row + 1) * seq);
      if (given) columns.ids.set(given.tokens, row * seq);
      for (let i = seq - (given?.want?.last ?? 0); i < seq; i++) wanted.push(row * seq + i);
    });
    const inputs: Record<string, OrtTensor> = {};
    for (const { name } of this.#model.inputs)
      if (name in columns) inputs[name] = ortTensor("i32", [count, seq], columns[name as keyof typeof columns]);
      else if (name === "rows") inputs[name] = ortTensor("i32", [wanted.length], Int32Array.from(wanted));
      else if (name === SPAN_INPUT) {
        const total = this.#columns(call, rows);
        inputs[name] = ortTensor("i32", [total], this.#span.subarray(0, total));
      }
    return { inputs, wanted: wanted.length };
  }

  /** Memory for that many rows of logits; only that of a usual step is kept. */
  #room(rows: number): Float32Array {
    const size = rows * this.limits.vocab;
    if (rows > KEPT_ROWS) return new Float32Array(size);
    if (this.#logits.length < size) this.#logits = new Float32Array(size);
    return this.#logits.subarray(0, size);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state === "closed") throw new SessionError("closed", "this session is closed");
    if (this.#state === "busy") throw new SessionError("busy", "a step is still running; one call at a time");
    this.#state = "busy";
    try {
      return await work();
    } finally {
      this.#state = "open";
    }
  }
}
