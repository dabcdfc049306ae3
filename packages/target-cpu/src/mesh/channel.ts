/** Pieces of this size travel: large enough to be rare, small enough that a reader begins while the rest is written. */
export const PIECE_BYTES: number = 1 << 20;
/** How many pieces a writer may be ahead of its slowest reader. */
const PIECES = 4;
/** How often a waiting worker looks before it sleeps: about as long as a small net runs. */
const LOOKS = 5000;
/** A sleeper looks up this often, in case it is never woken. */
const NAP_MS = 1000;

/** One writer's way to its readers, in memory that workers share. */
export interface ChannelMemory {
  /** How many pieces were written, then how many each reader has read. They count on past 2³¹ and round again. */
  readonly counts: SharedArrayBuffer;
  readonly pieces: SharedArrayBuffer;
}

/** Nobody writes to a channel without readers: it takes no room. */
export function channelMemory(readers: number): ChannelMemory {
  return {
    counts: new SharedArrayBuffer(4 * (1 + readers)),
    pieces: new SharedArrayBuffer(readers > 0 ? PIECES * PIECE_BYTES : 0),
  };
}

/** Another worker failed or was stopped: there is nothing to wait for. */
export class MeshStopped extends Error {
  constructor() {
    super("another shard stopped");
    this.name = "MeshStopped";
  }
}

/** Sets the flag and wakes whoever waits. */
export function stopAll(flag: SharedArrayBuffer, channels: Iterable<ChannelMemory>): void {
  Atomics.store(new Int32Array(flag), 0, 1);
  for (const { counts } of channels) {
    const words = new Int32Array(counts);
    for (let i = 0; i < words.length; i++) Atomics.notify(words, i);
  }
}

/** Either end of a channel. Both know how long each piece is; only its bytes travel. */
export class Channel {
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #flag: Int32Array<SharedArrayBuffer>;
  #at = 0;

  constructor({ counts, pieces }: ChannelMemory, flag: SharedArrayBuffer) {
    this.#counts = new Int32Array(counts);
    this.#bytes = new Uint8Array(pieces);
    this.#flag = new Int32Array(flag);
  }

  /** Writes a piece, as soon as there is room for it. */
  put(piece: Uint8Array): void {
    for (let reader = 1; reader < this.#counts.length; reader++)
      this.#wait(reader, (read) => ((this.#at - read) | 0) < PIECES);
    this.#bytes.set(piece, this.#place());
    this.#at = (this.#at + 1) | 0;
    Atomics.store(this.#counts, 0, this.#at);
    Atomics.notify(this.#counts, 0);
  }

  /** Reads the next piece where it lies: `use` must not keep it. */
  take(reader: number, length: number, use: (piece: Uint8Array<SharedArrayBuffer>) => void): void {
    this.#wait(0, (written) => ((written - this.#at) | 0) > 0);
    const from = this.#place();
    use(this.#bytes.subarray(from, from + length));
    this.#at = (this.#at + 1) | 0;
    Atomics.store(this.#counts, 1 + reader, this.#at);
    Atomics.notify(this.#counts, 1 + reader);
  }

  #place(): number {
    return (((this.#at % PIECES) + PIECES) % PIECES) * PIECE_BYTES;
  }

  #wait(word: number, done: (count: number) => boolean): void {
    for (let look = 0; look < LOOKS; look++) if (done(Atomics.load(this.#counts, word))) return;
    for (;;) {
      const count = Atomics.load(this.#counts, word);
      if (done(count)) return;
      if (Atomics.load(this.#flag, 0) !== 0) throw new MeshStopped();
      Atomics.wait(this.#counts, word, count, NAP_MS);
    }
  }
}
