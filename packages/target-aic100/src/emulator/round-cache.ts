import type { OrtTensor } from "@llm/runtime-native/ort";
import { codecOf, f16ToF32, toF16 } from "@llm/tensor";

/** Rounds what a call with these inputs wrote to a retained cache (slots, …, places, width). */
export type RoundCache = (cache: OrtTensor, inputs: Readonly<Record<string, OrtTensor>>) => void;

/** Rounds the places that a call wrote, each head's row by itself: scales are shared along it. */
export function roundCacheTo(format: string): RoundCache {
  const codec = codecOf({ format });
  return ({ dtype, shape, data }, inputs) => {
    const width = shape.at(-1)!;
    const places = shape.at(-2)!;
    const heads = shape.slice(1, -2).reduce((count, dim) => count * dim, 1);
    for (const [slot, place] of writtenPlaces(inputs, places))
      for (let head = 0; head < heads; head++) {
        const from = ((slot * heads + head) * places + place) * width;
        const row = data.subarray(from, from + width);
        if (dtype === "f16") {
          const wide = f16ToF32(row as Uint16Array);
          codec.round(wide, 1, width);
          toF16(wide, row as Uint16Array);
        } else codec.round(row as Float32Array, 1, width);
      }
  };
}

/** Slots and places that a call's tokens went to. */
function* writtenPlaces(inputs: Readonly<Record<string, OrtTensor>>, places: number): Generator<[number, number]> {
  const { input_ids: ids, position_ids: positions, batch_index: rows, cache_index: index } = inputs;
  const [lanes, width] = ids!.shape as [number, number];
  for (let lane = 0; lane < lanes; lane++) {
    const slot = rows ? Number((rows.data as BigInt64Array)[lane]) : lane;
    for (let column = 0; column < width; column++) {
      if (index) {
        yield [slot, Number((index.data as BigInt64Array)[0]) + column];
        continue;
      }
      const position = Number((positions!.data as BigInt64Array)[lane * width + column]);
      // A cache shorter than its sequence is a ring, with one place more than it goes round; the last of any is for padding.
      if (position >= 0) yield [slot, position % (places - 1)];
    }
  }
}
