import { NativeError } from "@llm/runtime-native";
import type { Bmrt, BmrtCommand } from "@llm/runtime-native/bmrt";
import {
  type ForkMove,
  type Limits,
  type Row,
  type RowResult,
  type Session,
  SessionError,
  SlotLedger,
  type Want,
} from "@llm/target";
import { answer, type Raw } from "./answer.ts";
import { StepCommands } from "./commands.ts";
import { DeviceBuffers } from "./device-memory.ts";
import { forkCommands } from "./fork.ts";
import { type Layout, portIs } from "./layout.ts";
import { limitsOf } from "./limits.ts";
import { packSaved, unpackSaved } from "./saved.ts";

/** Up to one token in so many of the prompt nets' length, single launches cost less than a whole prompt's. */
const SHORT_PROMPT = 64;

/** A model on its devices: net by net and row by row. */
export class Bm1684xSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly #bmrt: Bmrt;
  readonly #layout: Layout;
  readonly #buffers: DeviceBuffers;
  readonly #commands: StepCommands;
  readonly #ledger: SlotLedger;
  #busy = false;
  #closed = false;

  private constructor(bmrt: Bmrt, layout: Layout, slots: number) {
    this.#bmrt = bmrt;
    this.#layout = layout;
    this.limits = limitsOf(layout, slots);
    this.#ledger = new SlotLedger(this.limits);
    this.#buffers = new DeviceBuffers(bmrt, layout);
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
    return this.#call(async () => {
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
    return this.#call(async () => void this.#ledger.trim(slot, length));
  }

  fork(moves: readonly ForkMove[]): Promise<void> {
    return this.#call(async () => {
      const lost = moves.map(({ to }) => to);
      this.#ledger.fork(moves);
      await this.#device(lost, async () => this.#bmrt.run(await forkCommands(this.#buffers, moves)));
    });
  }

  save(slot: number): Promise<Uint8Array> {
    return this.#call(async () => {
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
    return this.#call(async () => {
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
    this.#closed = true;
    await this.#bmrt.close();
  }

  async #row({ slot, at, tokens, want }: Row): Promise<RowResult> {
    const cache = await this.#buffers.slot(slot);
    const what = want && this.#asked(want);
    const raw: Raw[] = [];
    const run = async (commands: readonly BmrtCommand[]) => {
      for (const bytes of await this.#bmrt.run(commands)) raw.push({ bytes, what: what! });
    };
    const last = want?.last ?? 0;
    if (this.#asPrompt(at, tokens.length)) {
      const { commands, hidden } = this.#commands.prompt(cache, tokens);
      const heads = Array.from({ length: last }, (_, i) =>
        this.#commands.head(hidden, tokens.length - last + i, what!),
      );
      await run([...commands, ...heads.flat()]);
    } else
      for (let i = 0; i < tokens.length; i++) {
        const { commands, hidden } = this.#commands.token(cache, tokens[i]!, at + i);
        const asked = i >= tokens.length - last;
        await run(asked ? [...commands, ...this.#commands.head(hidden, 0, what!)] : commands);
      }
    return want ? answer(want, raw, this.#layout) : {};
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

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new SessionError("closed", "the session is closed");
    if (this.#busy) throw new SessionError("busy", "one call at a time: the last one isn't answered yet");
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
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
