import { type OrtArray, type OrtDType, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { Channel, type ChannelMemory, PIECE_BYTES } from "./channel.ts";
import type { Talk } from "./schedule.ts";

/** All channels of a replica. */
export interface MeshMemory {
  readonly flag: SharedArrayBuffer;
  /** By stage and rank: what a rank tells the others of its stage. */
  readonly talk: readonly (readonly ChannelMemory[])[];
  /** By stage and rank: what a rank hands on to the same rank of later stages. */
  readonly hand: readonly (readonly (readonly ChannelMemory[])[])[];
}

const DTYPES: readonly OrtDType[] = ["f32", "i32", "i64", "bool"];
/** Rank of the tensor, its dtype, its sizes. */
const HEADER_WORDS = 16;

/** One worker's part in what its mesh says. Bytes that come from other workers are counted. */
export class Exchange {
  readonly #rank: number;
  readonly #stage: number;
  readonly #talk: readonly Channel[];
  readonly #toLater: ReadonlyMap<number, Channel>;
  readonly #fromEarlier: ReadonlyMap<number, Channel>;
  /** Bytes that this worker was told since it was made. */
  received = 0;

  constructor(memory: MeshMemory, rank: number, stage: number) {
    const { flag } = memory;
    this.#rank = rank;
    this.#stage = stage;
    this.#talk = memory.talk[stage]!.map((channel) => new Channel(channel, flag));
    const stages = [...memory.hand.keys()];
    const open = (from: number, to: number) => new Channel(memory.hand[from]![rank]![to]!, flag);
    this.#toLater = new Map(stages.filter((to) => to > stage).map((to) => [to, open(stage, to)]));
    this.#fromEarlier = new Map(stages.filter((from) => from < stage).map((from) => [from, open(from, stage)]));
  }

  /** Tells the others of this stage `own`, and makes of all terms what `talk` says. */
  talk({ combine, axis, sizes, spans }: Talk, own: OrtTensor): OrtTensor {
    const x = own.data as Float32Array;
    if (combine === "sum") {
      const sum = this.#sum(x);
      const whole = ortTensor("f32", own.shape, sum);
      const span = spans?.[this.#rank];
      return span ? cut(whole, axis!, span) : whole;
    }
    const along = axis! + own.shape.length;
    const outer = own.shape.slice(0, along).reduce((a, b) => a * b, 1);
    const inner = own.shape.slice(along + 1).reduce((a, b) => a * b, 1);
    const total = sizes!.reduce((a, b) => a + b, 0);
    const out = ortTensor("f32", own.shape.with(along, total));
    const starts = sizes!.map((_, rank) => sizes!.slice(0, rank).reduce((a, b) => a + b, 0));
    this.#pieces(
      x,
      (rank) => outer * sizes![rank]! * inner,
      (rank, at, piece) => {
        scatterRows(out.data as Float32Array, piece, at, sizes![rank]! * inner, total * inner, starts[rank]! * inner);
      },
    );
    return out;
  }

  /** Hands a value on to the same rank of a later stage. */
  send(stage: number, tensor: OrtTensor): void {
    const channel = this.#toLater.get(stage)!;
    const header = new Int32Array(HEADER_WORDS);
    header.set([tensor.shape.length, DTYPES.indexOf(tensor.dtype), ...tensor.shape]);
    channel.put(new Uint8Array(header.buffer));
    const bytes = bytesOf(tensor.data);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) channel.put(bytes.subarray(at, at + PIECE_BYTES));
  }

  /** What an earlier stage handed on next. */
  receive(stage: number): OrtTensor {
    const channel = this.#fromEarlier.get(stage)!;
    let tensor: OrtTensor | undefined;
    channel.take(0, 4 * HEADER_WORDS, (piece) => {
      const [rank, dtype, ...sizes] = new Int32Array(piece.slice().buffer);
      tensor = ortTensor(DTYPES[dtype!]!, sizes.slice(0, rank));
    });
    const bytes = bytesOf(tensor!.data);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, bytes.length - at);
      channel.take(0, length, (piece) => bytes.set(piece, at));
    }
    this.received += bytes.length;
    return tensor!;
  }

  /** Terms are added in the ranks' order, so that all ranks have the same bits. */
  #sum(own: Float32Array): Float32Array {
    const sum = new Float32Array(own.length);
    this.#pieces(
      own,
      () => own.length,
      (rank, at, piece) => {
        if (rank === 0) sum.set(piece, at);
        else for (let i = 0; i < piece.length; i++) sum[at + i]! += piece[i]!;
      },
    );
    return sum;
  }

  /** Puts this rank's term in pieces and takes the others', each as soon as it is there, in the ranks' order. */
  #pieces(
    own: Float32Array,
    length: (rank: number) => number,
    use: (rank: number, at: number, piece: Float32Array) => void,
  ): void {
    const step = PIECE_BYTES / 4;
    const longest = Math.max(...this.#talk.map((_, rank) => length(rank)));
    const bytes = bytesOf(own);
    for (let at = 0; at < longest; at += step) {
      if (at < own.length) this.#talk[this.#rank]!.put(bytes.subarray(4 * at, 4 * (at + step)));
      for (const [rank, channel] of this.#talk.entries()) {
        const count = Math.min(step, length(rank) - at);
        if (count <= 0) continue;
        if (rank === this.#rank) {
          use(rank, at, own.subarray(at, at + count));
          continue;
        }
        const reader = this.#rank < rank ? this.#rank : this.#rank - 1;
        channel.take(reader, 4 * count, (piece) =>
          use(rank, at, new Float32Array(piece.buffer, piece.byteOffset, count)),
        );
        this.received += 4 * count;
      }
    }
  }

  /** Which stage this worker is of. */
  get stage(): number {
    return this.#stage;
  }
}

/** Elements [at, …) of rows of `width`, into rows of `wide` from `start` on. */
function scatterRows(
  out: Float32Array,
  piece: Float32Array,
  at: number,
  width: number,
  wide: number,
  start: number,
): void {
  for (let i = 0; i < piece.length; ) {
    const row = Math.floor((at + i) / width);
    const column = (at + i) % width;
    const run = Math.min(width - column, piece.length - i);
    out.set(piece.subarray(i, i + run), row * wide + start + column);
    i += run;
  }
}

function cut({ shape, data }: OrtTensor, axis: number, [start, end]: readonly [number, number]): OrtTensor {
  const along = axis + shape.length;
  const inner = shape.slice(along + 1).reduce((a, b) => a * b, 1);
  const [run, row] = [(end - start) * inner, shape[along]! * inner];
  const out = ortTensor("f32", shape.with(along, end - start));
  for (let o = 0; o * row < data.length; o++)
    (out.data as Float32Array).set(
      (data as Float32Array).subarray(o * row + start * inner, o * row + end * inner),
      o * run,
    );
  return out;
}

function bytesOf(data: OrtArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
