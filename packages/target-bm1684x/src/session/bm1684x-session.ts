import { NativeError } from "@llm/runtime-native";
import type { Bmrt, BmrtCommand } from "@llm/runtime-native/bmrt";
import {
  type DeviceSampling,
  type ForkMove,
  type Limits,
  OneAtATime,
  type Row,
  type RowResult,
  type Session,
  SessionError,
  SlotLedger,
  type Want,
} from "@llm/target";
import { answer, type Raw } from "./answer.ts";
import { type Hidden, StepCommands } from "./commands.ts";
import { DeviceBuffers, type SlotCache } from "./device-memory.ts";
import { drawFromBest, drawFromLogits } from "./draw.ts";
import { toFloats, toIntegers } from "./encode.ts";
import { forkCommands } from "./fork.ts";
import { type Layout, portIs } from "./layout.ts";
import { limitsOf } from "./limits.ts";
import { packSaved, unpackSaved } from "./saved.ts";

/** Up to one token in so many of the prompt nets' length, single launches cost less than a whole prompt's. */
const SHORT_PROMPT = 64;

/** Launches of blocks, where they leave hidden states, and which of those are asked about. */
interface Part {
  readonly commands: readonly BmrtCommand[];
  readonly hidden: Hidden;
  readonly asked: readonly number[];
}

/** How one token is drawn. */
interface Draw {
  readonly sampling: DeviceSampling;
  readonly allow: Uint32Array | undefined;
  readonly random: number;
}

/** A model on its devices: net by net and row by row. */
export class Bm1684xSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly #bmrt: Bmrt;
  readonly #layout: Layout;
  readonly #buffers: DeviceBuffers;
  readonly #commands: StepCommands;
  readonly #ledger: SlotLedger;
  readonly #calls = new OneAtATime();

  private constructor(bmrt: Bmrt, layout: Layout, slots: number) {
    this.#bmrt = bmrt;
    this.#layout = layout;
    this.limits = limitsOf(layout, slots);
    this.#ledger = new SlotLedger(this.limits);
    this.#buffers = new DeviceBuffers(bmrt, layout, slots);
    this.#commands = new StepCommands(layout, this.#buffers);
  }

  /** The session closes the devices; also when it can't be opened. */
  static async open(bmrt: Bmrt, layout: Layout, slots: number): Promise<Bm1684xSession> {
    const session = new Bm1684xSession(bmrt, layout, slots);
    await session.#commands.prepare();
    for (let slot = 0; slot < slots; slot++) await session.#buffers.slot(slot);
    return session;
  }

  step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#calls.run(async () => {
      this.#ledger.check(rows);
      for (const { want } of rows) if (want) this.#checkWant(want);
      const slots = rows.map(({ slot }) => slot);
      const results = await this.#device(slots, async () => {
        const answers: RowResult[] = [];
        for (const row of rows) answers.push(await this.#row(row));
        return answers;
      });
      this.#ledger.commit(rows);
      return results;
    });
  }

  trim(slot: number, length: number): Promise<void> {
    // Nothing is moved: what the mask doesn't show isn't there.
    return this.#calls.run(async () => void this.#ledger.trim(slot, length));
  }

  fork(moves: readonly ForkMove[]): Promise<void> {
    return this.#calls.run(async () => {
      const lost = moves.map(({ to }) => to);
      this.#ledger.fork(moves);
      await this.#device(lost, async () => this.#bmrt.run(await forkCommands(this.#buffers, moves)));
    });
  }

  save(slot: number): Promise<Uint8Array> {
    return this.#calls.run(async () => {
      const length = this.#ledger.length(slot);
      if (length === 0) return packSaved(this.#layout, 0, []);
      const cache = await this.#buffers.slot(slot);
      const reads = cache
        .flat()
        .map(
          ({ device, buffer, row }): BmrtCommand => ({ do: "read", device, from: [buffer, 0], bytes: length * row }),
        );
      return packSaved(this.#layout, length, await this.#device([], () => this.#bmrt.run(reads)));
    });
  }

  restore(slot: number, saved: Uint8Array): Promise<number> {
    return this.#calls.run(async () => {
      const tensors = (await this.#buffers.slot(slot)).flat();
      const { length, parts } = unpackSaved(this.#layout, saved, tensors);
      this.#ledger.replace(slot, length);
      const writes = tensors.map(
        ({ device, buffer }, i): BmrtCommand => ({ do: "write", device, to: [buffer, 0], data: parts[i]! }),
      );
      if (length > 0) await this.#device([slot], () => this.#bmrt.run(writes));
      return length;
    });
  }

  async close(): Promise<void> {
    if (this.#calls.close()) await this.#bmrt.close();
  }

  async #row(row: Row): Promise<RowResult> {
    const { want } = row;
    const parts = this.#parts(row, await this.#buffers.slot(row.slot));
    if (want?.kind === "token" && isDrawn(want.sampling))
      return { tokens: await this.#drawn(parts, want.sampling, want.allow) };
    const what = want && this.#asked(want);
    const raw: Raw[] = [];
    for (const { commands, hidden, asked } of parts) {
      const heads = asked.flatMap((at) => this.#commands.head(hidden, at, what!));
      for (const bytes of await this.#bmrt.run([...commands, ...heads])) raw.push({ bytes, what: what! });
    }
    return want ? answer(want, raw, this.#layout) : {};
  }

  /** A row as launches of blocks: one for a whole prompt, else one for each token. */
  *#parts({ at, tokens, want }: Row, cache: SlotCache): Generator<Part> {
    const first = tokens.length - (want?.last ?? 0);
    if (this.#asPrompt(at, tokens.length)) {
      const asked = Array.from({ length: tokens.length - first }, (_, i) => first + i);
      yield { ...this.#commands.prompt(cache, tokens), asked };
    } else
      for (let i = 0; i < tokens.length; i++)
        yield { ...this.#commands.token(cache, tokens[i]!, at + i), asked: i < first ? [] : [0] };
  }

  async #drawn(parts: Iterable<Part>, sampling: DeviceSampling, allow: Uint32Array | undefined): Promise<Int32Array> {
    const tokens: number[] = [];
    for (const { commands, hidden, asked } of parts) {
      let before = commands;
      for (const at of asked) {
        const random = sampling.random?.[tokens.length] ?? 0;
        tokens.push(await this.#draw(before, hidden, at, { sampling, allow, random }));
        before = [];
      }
      if (before.length > 0) await this.#bmrt.run(before);
    }
    return Int32Array.from(tokens);
  }

  /** By the best tokens where they decide it, else by all logits. */
  async #draw(
    before: readonly BmrtCommand[],
    hidden: Hidden,
    at: number,
    { sampling, allow, random }: Draw,
  ): Promise<number> {
    const { head, vocab } = this.#layout;
    let left = before;
    if (!allow) {
      const best = this.#commands.candidates(hidden, at, sampling.temperature ?? 1);
      const [shares, ids] = await this.#bmrt.run([...before, ...best]);
      left = [];
      const token = drawFromBest({ shares: toFloats(shares!, "f32"), ids: toIntegers(ids!) }, vocab, sampling, random);
      if (token !== undefined) return token;
    }
    const [bytes] = await this.#bmrt.run([...left, ...this.#commands.head(hidden, at, "logits")]);
    const logits = toFloats(bytes!, head.outputs.find(portIs("logits"))!.dtype).subarray(0, vocab);
    return drawFromLogits(logits, allow, sampling, random);
  }

  #asPrompt(at: number, tokens: number): boolean {
    const { prompt } = this.#layout;
    return at === 0 && tokens <= prompt && tokens > Math.max(1, Math.floor(prompt / SHORT_PROMPT));
  }

  /** What has to come from the device: tokens where it can choose and may, else logits. */
  #asked({ kind, allow }: Want): Raw["what"] {
    return kind === "token" && !allow && this.#choosesTokens ? "token" : "logits";
  }

  #checkWant(want: Want): void {
    if (this.#asked(want) === "logits" && !this.#layout.head.outputs.some(portIs("logits")))
      throw new SessionError(
        "want",
        "this bmodel's lm_head chooses tokens itself: there are no logits to allow some of",
      );
  }

  get #choosesTokens(): boolean {
    return this.#layout.greedy !== undefined || this.#layout.head.outputs.some(portIs("token"));
  }

  /** What the device can't do, as an error of a session; `slots` may have been written halfway. */
  async #device<T>(slots: readonly number[], work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (!NativeError.isInstance(cause)) throw cause;
      // A launch that failed leaves the rest as it was; a runtime that ended leaves nothing.
      const gone = cause.code === "closed" || (cause.code === "device-failed" && cause.call === undefined);
      if (!gone) for (const slot of slots) this.#ledger.replace(slot, 0);
      throw new SessionError("device", cause.message, { cause, ...(gone ? {} : { lost: slots }) });
    }
  }
}

/** At a temperature of 0 nothing is drawn: there the best token is meant. */
function isDrawn({ method, temperature = 1 }: DeviceSampling): boolean {
  return method === "sample" && temperature > 0;
}
