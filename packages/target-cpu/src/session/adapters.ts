import { ADAPTERS_INPUT, type LowRankInputs, lowRankInputs } from "@llm/core-ir";
import { type OrtPort, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { type LowRankAdapter, type Row, SessionError } from "@llm/target";

/** More than anybody serves at once. */
export const MAX_ADAPTERS = 256;

type Module = LowRankAdapter["modules"][number];

/** A matrix that sums may go to. */
interface Place extends LowRankInputs {
  readonly from: number;
  readonly to: number;
}

/** The adapters that a model's rows choose from, as the inputs that its graph has for them. Number 0 adds nothing. */
export class Adapters {
  /** Whether the model was made to take any. */
  readonly possible: boolean;
  readonly #places: readonly Place[];
  readonly #loaded: ReadonlyMap<Place, Module>[] = [];
  /** What rows are given that take none: products that are empty. */
  readonly #none: Readonly<Record<string, OrtTensor>>;
  #all: Readonly<Record<string, OrtTensor>>;

  constructor(inputs: readonly OrtPort[]) {
    const shapes = new Map(inputs.map(({ name, shape }) => [name, shape]));
    this.possible = shapes.has(ADAPTERS_INPUT);
    this.#places = lowRankInputs(shapes.keys()).map((names) => ({
      ...names,
      from: Number(shapes.get(names.first)![1]),
      to: Number(shapes.get(names.second)![2]),
    }));
    this.#none = this.#all = this.#matrices();
  }

  /** Takes an adapter in and returns its number; one that doesn't fit the model changes nothing. */
  add({ path, modules }: LowRankAdapter): number {
    if (this.#loaded.length === MAX_ADAPTERS)
      throw new SessionError("adapter", `${path}: ${MAX_ADAPTERS} adapters are loaded already`);
    this.#loaded.push(new Map(modules.map((part) => [this.#placeOf(part, path), part])));
    this.#all = this.#matrices();
    return this.#loaded.length;
  }

  /** Throws where a row asks for one that isn't loaded. */
  check(rows: readonly Row[]): void {
    const count = this.#loaded.length;
    const unknown = rows.find(({ adapter = 0 }) => adapter > count);
    if (unknown) throw new SessionError("adapter", `adapter ${unknown.adapter} isn't loaded; ${count} are`);
  }

  /** What the model is given for rows with these adapters. */
  inputs(rows: Int32Array): Readonly<Record<string, OrtTensor>> {
    if (!this.possible) return {};
    const matrices = rows.every((adapter) => adapter === 0) ? this.#none : this.#all;
    return { ...matrices, [ADAPTERS_INPUT]: ortTensor("i32", [rows.length], rows) };
  }

  #matrices(): Readonly<Record<string, OrtTensor>> {
    return Object.fromEntries(
      this.#places.flatMap((place) => {
        const parts = this.#loaded.map((adapter) => adapter.get(place));
        const [first, second] = stacked(place, parts);
        return [
          [place.first, first],
          [place.second, second],
        ];
      }),
    );
  }

  /** Where a module's sum goes: a checkpoint may leave out a common beginning of names, or have one more. */
  #placeOf({ module, a, b }: Module, path: string): Place {
    const wanted = `${module}.weight`;
    const place =
      this.#places.find(({ tensor }) => tensor === wanted) ??
      this.#places.find(({ tensor }) => wanted.endsWith(`.${tensor}`) || tensor.endsWith(`.${wanted}`));
    if (!place)
      throw new SessionError(
        "adapter",
        `${path}: ${wanted} is no matrix of this model that takes a sum at run time; if the adapter is for it, merge it with --lora`,
      );
    const [into, out] = [a.shape[1]!, b.shape[0]!];
    if (into !== place.from || out !== place.to)
      throw new SessionError(
        "adapter",
        `${path}: ${wanted} is (${place.to}, ${place.from}) in this model, but the adapter adds (${out}, ${into})`,
      );
    return place;
  }
}

/** What adapters add to one matrix, as two tensors: a module, or nothing, for each. */
function stacked({ from, to }: Place, parts: readonly (Module | undefined)[]): readonly [OrtTensor, OrtTensor] {
  const count = parts.length + 1;
  const rank = Math.max(0, ...parts.map((part) => part?.a.shape[0] ?? 0));
  const first = new Float32Array(count * from * rank); // (count, from, rank)
  const second = new Float32Array(count * rank * to); // (count, rank, to)
  parts.forEach((part, index) => {
    if (!part) return;
    const { scale } = part;
    const [a, b] = [part.a.data as Float32Array, part.b.data as Float32Array];
    const own = part.a.shape[0]!;
    const [intoFirst, intoSecond] = [(index + 1) * from * rank, (index + 1) * rank * to];
    for (let r = 0; r < own; r++) {
      for (let i = 0; i < from; i++) first[intoFirst + i * rank + r] = a[r * from + i]!;
      for (let o = 0; o < to; o++) second[intoSecond + r * to + o] = b[o * own + r]! * scale;
    }
  });
  return [ortTensor("f32", [count, from, rank], first), ortTensor("f32", [count, rank, to], second)];
}
