import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";

/** Rows whose memory is kept from step to step: those of a usual step. */
const KEPT_ROWS = 64;

/** Memory that a step's results of one kind are written to, row after row: a session answers with views of it. */
export class KeptRows {
  readonly width: number;
  #kept = new Float32Array(0);

  constructor(width: number) {
    this.width = width;
  }

  /** Room for `rows` of a step, given out in turn. It is the last step's again, unless there are unusually many. */
  room(rows: number): (count: number) => OrtTensor {
    const size = rows * this.width;
    if (rows <= KEPT_ROWS && this.#kept.length < size) this.#kept = new Float32Array(size);
    const room = rows <= KEPT_ROWS ? this.#kept : new Float32Array(size);
    let used = 0;
    return (count) => {
      const from = used;
      used += count * this.width;
      return ortTensor("f32", [count, this.width], room.subarray(from, used));
    };
  }
}
