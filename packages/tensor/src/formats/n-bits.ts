import { fastCodecs } from "../fast-codecs.ts";
import { f16ToNumber, numberToF16 } from "../half.ts";
import type { Codec, Parts } from "./codec.ts";
import { eachGroup } from "./groups.ts";

const { abs, fround, max, min } = Math;

interface NBits {
  readonly bits: 4 | 8;
  readonly group: number;
  readonly symmetric: boolean;
  readonly scales: "f16" | "f32";
}

/**
 * ONNX Runtime's MatMulNBits: unsigned values around a zero point (the middle, or the group's own), two nibbles a byte with the
 * first below. Each row is whole groups, the last one filled up. Values and rounding are those of ONNX Runtime's quantiser:
 * without zero points the extreme, whatever its sign, is the lowest code.
 */
export function nBits(shape: NBits): Codec {
  const { bits, group, symmetric, scales: scaleType } = shape;
  const levels = 2 ** bits;
  const middle = levels / 2;
  const groupBytes = (group * bits) / 8;
  const groupsOf = (columns: number) => Math.ceil(columns / group);
  const zeroBytes = (columns: number) => Math.ceil((groupsOf(columns) * bits) / 8);
  const stored = scaleType === "f16" ? (scale: number) => f16ToNumber(numberToF16(scale)) : fround;
  const q = new Uint8Array(group);
  let scale = 0;
  let zero = 0;

  /** Leaves the group's scale and zero point in `scale` and `zero`. */
  const measure = (values: Float32Array, from: number, end: number): void => {
    let least = 0;
    let largest = 0;
    let sum = 0;
    for (let i = from; i < end; i++) {
      const value = values[i]!;
      if (value < least) least = value;
      if (value > largest) largest = value;
      sum += value - value; // NaN from the first that is not finite
    }
    if (symmetric) {
      zero = middle;
      scale = stored((abs(largest) > abs(least) ? largest : least) / -middle);
    } else {
      scale = stored(fround(largest - least) / (levels - 1));
      zero = scale > 0 ? min(max(Math.floor(fround(-least / scale) + 0.5), 0), levels - 1) : 0;
    }
    if (sum !== 0) scale = Number.NaN;
  };
  const quantise = (values: Float32Array, from: number, end: number): void => {
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    const offset = zero;
    const most = levels - 1;
    for (let i = from; i < end; i++) {
      // Negative sums are clamped anyway, so halves away from zero are halves up.
      const steps = fround(fround(values[i]! * inverse) + offset) + 0.5;
      q[i - from] = steps > 0 ? min(steps, most) | 0 : 0;
    }
    if (end - from < group) q.fill(offset, end - from);
  };
  return {
    block: (columns) => min(group, columns),
    bitsPerWeight: (columns) =>
      (groupsOf(columns) * (8 * groupBytes + (scaleType === "f16" ? 16 : 32)) +
        (symmetric ? 0 : 8 * zeroBytes(columns))) /
      columns,
    parts: (rows, columns) => ({
      data: { dtype: "u8", shape: [rows, groupsOf(columns), groupBytes] },
      scales: { dtype: scaleType, shape: [rows, groupsOf(columns)] },
      ...(symmetric ? {} : { zeros: { dtype: "u8", shape: [rows, zeroBytes(columns)] } as const }),
    }),
    encode(values, rows, columns) {
      const count = groupsOf(columns);
      const data = new Uint8Array(rows * count * groupBytes);
      const scales = scaleType === "f16" ? new Uint16Array(rows * count) : new Float32Array(rows * count);
      const zeros = new Uint8Array(rows * zeroBytes(columns));
      const made = { data, scales, ...(!symmetric && { zeros }) } satisfies Parts;
      if (fastCodecs(values.length)?.nBits(values, rows, columns, shape, made)) return made;
      eachGroup(rows, columns, group, (at, from, end) => {
        measure(values, from, end);
        quantise(values, from, end);
        scales[at] = scaleType === "f16" ? numberToF16(scale) : scale;
        const base = at * groupBytes;
        if (bits === 8) data.set(q, base);
        else for (let i = 0; i < groupBytes; i++) data[base + i] = q[2 * i]! | (q[2 * i + 1]! << 4);
        const row = Math.floor(at / count);
        const place = at - row * count;
        if (bits === 8) zeros[at] = zero;
        // A nibble too many says the middle, as ONNX Runtime leaves it.
        else if (place % 2 === 0) zeros[row * zeroBytes(columns) + (place >> 1)] = zero | (middle << 4);
        else
          zeros[row * zeroBytes(columns) + (place >> 1)] =
            (zeros[row * zeroBytes(columns) + (place >> 1)]! & 15) | (zero << 4);
      });
      return made;
    },
    decode({ data, scales, zeros }: Parts, rows, columns) {
      const count = groupsOf(columns);
      const values = new Float32Array(rows * columns);
      const packed = data as Uint8Array;
      eachGroup(rows, columns, group, (at, from, end) => {
        const row = Math.floor(at / count);
        const place = at - row * count;
        const step = scaleType === "f16" ? f16ToNumber(Number(scales![at])) : Number(scales![at]);
        let offset = middle;
        if (zeros && bits === 8) offset = Number(zeros[at]);
        else if (zeros) offset = (Number(zeros[row * zeroBytes(columns) + (place >> 1)]) >> (4 * (place & 1))) & 15;
        for (let i = from; i < end; i++) {
          const n = i - from;
          const code =
            bits === 8 ? packed[at * groupBytes + n]! : (packed[at * groupBytes + (n >> 1)]! >> (4 * (n & 1))) & 15;
          values[i] = step * (code - offset);
        }
      });
      return values;
    },
    round(values, rows, columns) {
      if (fastCodecs(values.length)?.nBits(values, rows, columns, shape)) return;
      eachGroup(rows, columns, group, (_at, from, end) => {
        measure(values, from, end);
        quantise(values, from, end);
        for (let i = from; i < end; i++) values[i] = scale * (q[i - from]! - zero);
      });
    },
    bound: (block) => {
      measure(block, 0, block.length);
      if (!Number.isFinite(scale)) return Number.POSITIVE_INFINITY;
      const largest = block.reduce((most, value) => max(most, abs(value)), 0);
      const range = abs(scale) * levels;
      // Where the scale's inverse is beyond fp32's numbers, any value may have got any code.
      if (scale !== 0 && !Number.isFinite(fround(1 / scale))) return range + largest;
      // A step where the far end is cut off (there is one code less above the middle), and what rounding the scale costs: below
      // fp32's normal numbers, its last place.
      const step = abs(scale) * (1 + 2 ** -10);
      return step + max(0, largest - abs(scale) * (symmetric ? middle : levels - 1)) + levels * 2 ** -149;
    },
  };
}
