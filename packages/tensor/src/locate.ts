import { decide } from "./bind.ts";
import { DTYPES, type DType } from "./dtype.ts";
import { simplify } from "./expr/simplify.ts";
import { blockCodec } from "./formats/gguf/index.ts";
import { formatName } from "./formats/index.ts";
import { type PackedPart, type Packing, packedPart } from "./packing.ts";
import { stridesOf } from "./read/region.ts";
import type { RowRun, Span, StoredTensor, WeightSource } from "./source.ts";
import { sizeOf } from "./tensor.ts";
import type { WeightExpr } from "./weight-expr.ts";

/**
 * Where an expression's bytes lie, if they are in one file, next to each other, in row-major order and just as `packing` wants
 * them: then nobody needs to copy anything. Undefined otherwise.
 */
export function locate(expr: WeightExpr, source: WeightSource, packing: Packing): Span | undefined {
  const wanted = packedPart(packing);
  const view = viewOf(simplify(decide(expr, source)), source, wanted);
  return view && spanOf(view);
}

/** A tensor as strides over a part of a file. */
interface View {
  readonly span: Span;
  readonly unit: Unit;
  readonly base: number; // elements
  readonly shape: readonly number[];
  readonly strides: readonly number[]; // elements
}

/** The smallest piece that can be addressed. */
interface Unit {
  readonly bytes: number;
  readonly elements: number;
}

type Wanted = PackedPart & { readonly part: string };

function viewOf(expr: WeightExpr, source: WeightSource, wanted: Wanted): View | undefined {
  switch (expr.op) {
    case "tensor":
      return storedView(source.get(expr.name), expr.shape, wanted);
    case "slice": {
      const { of, axis, start, end } = expr;
      if (of.op === "tensor" && axis === 0) {
        const stored = source.get(of.name);
        if (stored?.rows) return storedView(stored, of.shape, wanted, { start, end });
      }
      const view = viewOf(of, source, wanted);
      if (!view) return undefined;
      return { ...view, base: view.base + start * view.strides[axis]!, shape: view.shape.with(axis, end - start) };
    }
    case "permute": {
      const view = viewOf(expr.of, source, wanted);
      if (!view) return undefined;
      const pick = (of: readonly number[]) => expr.perm.map((axis) => of[axis]!);
      return { ...view, shape: pick(view.shape), strides: pick(view.strides) };
    }
    case "reshape": {
      const view = viewOf(expr.of, source, wanted);
      return view && dense(view) ? { ...view, shape: expr.shape, strides: stridesOf(expr.shape) } : undefined;
    }
    case "concat": {
      const joined = adjacent(expr.of.map((part) => viewOf(part, source, wanted)));
      if (!joined || sizeOf(joined.first.shape.slice(0, expr.axis)) !== 1) return undefined;
      const length = joined.all.reduce((sum, { shape }) => sum + shape[expr.axis]!, 0);
      const shape = joined.first.shape.with(expr.axis, length);
      return { ...joined.first, span: joined.span, shape, strides: stridesOf(shape), base: 0 };
    }
    case "stack": {
      const joined = adjacent(expr.of.map((part) => viewOf(part, source, wanted)));
      if (!joined) return undefined;
      const shape = [joined.all.length, ...joined.first.shape];
      return { ...joined.first, span: joined.span, shape, strides: stridesOf(shape), base: 0 };
    }
    case "encode":
      return formatName(expr.format.format) === formatName(wanted.format) ? viewOf(expr.of, source, wanted) : undefined;
    default:
      return undefined;
  }
}

function storedView(
  stored: StoredTensor | undefined,
  expected: readonly number[],
  { format, part, group }: Wanted,
  rows = { start: 0, end: expected[0] ?? 1 },
): View | undefined {
  const span = stored?.parts[part];
  if (
    !stored ||
    !span ||
    formatOf(stored) !== format ||
    stored.shift ||
    stored.computed ||
    stored.shape.join() !== expected.join()
  )
    return undefined;
  if (group !== undefined && stored.params?.groupSize !== group) return undefined;
  const unit = unitOf(format);
  // Formats of several parts, in layouts of their own: each part is whole or nothing.
  if (!unit) {
    const whole = { bytes: 1, elements: 1 };
    return stored.rows || stored.strides
      ? undefined
      : { span, unit: whole, base: 0, shape: [span.length], strides: [1] };
  }
  const strides = stored.strides ?? stridesOf(stored.shape);
  const first = stored.rows ? firstOfRun(stored.rows, rows.start, rows.end - rows.start) : rows.start;
  if (first === undefined) return undefined;
  const shape = expected.length === 0 ? expected : expected.with(0, rows.end - rows.start);
  return { span, unit, base: first * (strides[0] ?? 1), shape, strides };
}

/** GPTQ's two layouts are one format when read, and two when written. */
function formatOf({ format, params }: StoredTensor): string {
  return format === "gptq" && params?.zeroOffset === 0 ? "gptq_v2" : format;
}

function unitOf(format: string): Unit | undefined {
  if (Object.hasOwn(DTYPES, format)) return { bytes: DTYPES[format as DType].bytes, elements: 1 };
  const codec = blockCodec(format);
  return codec && { bytes: codec.bytes, elements: codec.block };
}

/** The stored row at which `count` logical rows from `from` start, if they are stored one after another. */
function firstOfRun(rows: readonly RowRun[], from: number, count: number): number | undefined {
  let at = 0;
  let first: number | undefined;
  let found = 0;
  for (const { start, shape, strides } of rows) {
    const size = sizeOf(shape);
    const within = stridesOf(shape);
    for (let row = Math.max(from, at); row < Math.min(from + count, at + size); row++) {
      const stored = shape.reduce(
        (sum, dim, i) => sum + (Math.floor((row - at) / within[i]!) % dim) * strides[i]!,
        start,
      );
      first ??= stored;
      if (stored !== first + found++) return undefined;
    }
    at += size;
  }
  return first;
}

/** Whether a view is one stretch in row-major order. */
function dense({ shape, strides }: View): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return step > 0;
}

function spanOf(view: View): Span | undefined {
  const { span, unit, base, shape } = view;
  const units = sizeOf(shape) / unit.elements;
  const first = base / unit.elements;
  if (!dense(view) || !Number.isInteger(units) || !Number.isInteger(first)) return undefined;
  const length = units * unit.bytes;
  const offset = first * unit.bytes;
  // A row of packed blocks that doesn't end with a block would drag the next one's values in.
  if ((shape.at(-1) ?? 1) % unit.elements !== 0 || offset + length > span.length) return undefined;
  return { file: span.file, offset: span.offset + offset, length };
}

/** Views that follow each other in one file, as one. */
function adjacent(views: readonly (View | undefined)[]): { first: View; all: readonly View[]; span: Span } | undefined {
  const spans: Span[] = [];
  const all: View[] = [];
  for (const view of views) {
    const span = view && spanOf(view);
    const last = spans.at(-1);
    if (!span || (last && (last.file !== span.file || last.offset + last.length !== span.offset))) return undefined;
    spans.push(span);
    all.push(view);
  }
  const [first] = all;
  if (!first) return undefined;
  const length = spans.reduce((sum, span) => sum + span.length, 0);
  return { first, all, span: { file: spans[0]!.file, offset: spans[0]!.offset, length } };
}
