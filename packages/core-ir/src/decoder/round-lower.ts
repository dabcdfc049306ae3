import { formatName } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import type { Value } from "../graph.ts";

/** Rounds the values of blocks (…, block): all that share a scale lie along the last axis. */
type RoundBlocks = (b: Builder, x: Value) => Value;

interface Blocks {
  /** Values that share a scale; absent: all of a row. */
  readonly block?: number;
  readonly round: RoundBlocks;
}

/** Values that share a scale in the formats of the OCP specification. */
const MX_BLOCK = 32;
/** The smallest normal fp32 number: logarithms of less are no use. */
const TINY = 2 ** -126;

/**
 * The rounding of cache formats in primitives, for runtimes that don't have them: same values as the format table's, but
 * for blocks whose largest magnitude is no normal number. Undefined for formats that only weights are kept in.
 */
export function roundInPrimitives(b: Builder, x: Value, format: string, group?: number): Value | undefined {
  const name = formatName(format);
  const blocks = name === "int8" ? { ...(group === undefined ? {} : { block: group }), round: int8 } : MX[name];
  if (!blocks) return undefined;
  const wide = b.cast(x, "f32");
  return b.cast(inBlocks(b, wide, blocks), x.type.dtype);
}

/** Cuts the last axis into blocks, zeros after the last, and puts it together again. */
function inBlocks(b: Builder, x: Value, { block, round }: Blocks): Value {
  const columns = x.type.shape.at(-1) as number;
  if (block === undefined) return round(b, x);
  const count = Math.ceil(columns / block);
  const after = count * block - columns;
  const padded = after === 0 ? x : b.pad(x, -1, { before: 0, after, value: 0 });
  const rounded = b.reshape(round(b, b.reshape(padded, [count, block], 1)), [count * block], 2);
  return after === 0 ? rounded : b.slice(rounded, -1, 0, columns);
}

/** Steps of a 127th of the largest magnitude, as fp16 keeps that. */
const int8: RoundBlocks = (b, x) => {
  const scale = b.cast(b.cast(b.mul(largest(b, x), b.scalar(1 / 127, x)), "f16"), "f32");
  const poisoned = b.add(scale, poison(b, x));
  const divisor = b.where(b.compare("eq", poisoned, b.scalar(0, x)), b.scalar(1, x), poisoned);
  return b.mul(toInteger(b, b.clip(b.binary("div", x, divisor), { min: -127, max: 127 })), poisoned);
};

/** Elements of MXINT8: 64ths of the shared power of two. */
const mxint8: RoundBlocks = (b, x) => {
  const step = b.mul(sharedPower(b, x), b.scalar(1 / 64, x));
  return b.mul(b.clip(toInteger(b, b.binary("div", x, step)), { min: -127, max: 127 }), step);
};

interface SmallFloat {
  readonly mantissa: number;
  readonly emin: number;
  readonly emax: number;
  readonly largest: number;
}

function smallFloats({ mantissa, emin, emax, largest: most }: SmallFloat): RoundBlocks {
  return (b, x) => {
    const scale = b.mul(sharedPower(b, x), b.scalar(2 ** -emax, x));
    const y = b.binary("div", x, scale);
    const magnitude = b.binary("max", b.unary("abs", y), b.scalar(2 ** emin, x));
    const step = b.mul(powerBelow(b, magnitude), b.scalar(2 ** -mantissa, x));
    const nearest = b.mul(toInteger(b, b.binary("div", y, step)), step);
    return b.mul(b.clip(nearest, { min: -most, max: most }), scale);
  };
}

const MX: Readonly<Record<string, Blocks>> = {
  mxint8: { block: MX_BLOCK, round: mxint8 },
  mxfp6_e2m3: { block: MX_BLOCK, round: smallFloats({ mantissa: 3, emin: 0, emax: 2, largest: 7.5 }) },
  mxfp6_e3m2: { block: MX_BLOCK, round: smallFloats({ mantissa: 2, emin: -2, emax: 4, largest: 28 }) },
  mxfp4: { block: MX_BLOCK, round: smallFloats({ mantissa: 1, emin: 0, emax: 2, largest: 6 }) },
};

function largest(b: Builder, x: Value): Value {
  return b.reduce("max", b.unary("abs", x), [-1]);
}

/** The power of two at or below the block's largest magnitude; NaN where the block holds an infinity or a NaN. */
function sharedPower(b: Builder, x: Value): Value {
  return b.add(powerBelow(b, b.binary("max", largest(b, x), b.scalar(TINY, x))), poison(b, x));
}

/** 0, or NaN where any value of the block is not finite. */
function poison(b: Builder, x: Value): Value {
  return b.reduce("sum", b.mul(x, b.scalar(0, x)), [-1]);
}

/** The greatest power of two that is not above x. A logarithm may miss it by one step either way, which is put right. */
function powerBelow(b: Builder, x: Value): Value {
  const [half, two] = [b.scalar(0.5, x), b.scalar(2, x)];
  const exponent = b.unary("floor", b.mul(b.unary("log", x), b.scalar(1 / Math.LN2, x)));
  const guess = b.binary("pow", two, exponent);
  const notAbove = b.where(b.compare("gt", guess, x), b.mul(guess, half), guess);
  const doubled = b.mul(notAbove, two);
  return b.where(b.compare("le", doubled, x), doubled, notAbove);
}

/** The nearest integer, ties to even: where fp32 has no digits behind the point, adding rounds. */
function toInteger(b: Builder, x: Value): Value {
  const many = b.scalar(1.5 * 2 ** 23, x);
  return b.sub(b.add(x, many), many);
}
