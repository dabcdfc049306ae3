import { convertData } from "../convert.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { TensorError } from "../error.ts";
import type { RowRun, StoredTensor } from "../source.ts";
import { sizeOf } from "../tensor.ts";
import { copyBox } from "./copy-box.ts";
import type { FlatReader } from "./flat-reader.ts";
import { allocate, type Loader } from "./loader.ts";
import { boxesOfRange, type Region, stridesOf } from "./region.ts";

/** Most bytes one call reads: enough for a disk's full speed. */
const READ_BYTES = 8 * 2 ** 20;

/** A gap that is read along, because another call costs more. */
const GAP_BYTES = 64 * 2 ** 10;

interface Axis {
  readonly size: number;
  readonly stride: number; // where it is stored
  readonly out: number; // in the result
}

/** Boxes of a stored tensor, whatever the order of its axes and rows there. */
export function stridedLoader(stored: StoredTensor, flat: FlatReader): Loader {
  const { shape, shift = 0 } = stored;
  const strides = stored.strides ?? stridesOf(shape);
  const rows = stored.rows ?? [{ start: 0, shape: [shape[0] ?? 1], strides: [1] }];
  checkExtent(stored, flat, strides, rows);
  const last = shape.length - 1;

  const gather = async (box: Piece, out: TypedArray): Promise<void> => {
    const axes = box.axes.filter(({ size }) => size !== 1).sort((a, b) => b.stride - a.stride);
    const most = Math.max(1, Math.floor(READ_BYTES / flat.elementBytes));
    const gap = GAP_BYTES / flat.elementBytes;
    const extents = extentsOf(axes);
    // Whether the axes from `level` on leave only gaps that may be read along.
    const dense = axes.map((_, level) =>
      axes.slice(level).every(({ stride }, i) => stride - extents[level + i + 1]! <= gap),
    );
    const visit = async (level: number, from: number, to: number): Promise<void> => {
      const axis = axes[level];
      const inner = extents[level + 1] ?? 1;
      if (!axis || (dense[level] && inner <= most)) {
        const { size = 1, stride = 0, out: outStride = 0 } = axis ?? {};
        const step = stride === 0 ? size : Math.max(1, Math.floor((most - inner) / stride) + 1);
        const rest = axes.slice(level + 1);
        for (let i = 0; i < size; i += step) {
          const some = Math.min(step, size - i);
          const data = await flat.read(from + i * stride, (some - 1) * stride + inner, flat.dtype);
          copyBox(
            [some, ...rest.map((a) => a.size)],
            { data, offset: 0, strides: [stride, ...rest.map((a) => a.stride)] },
            { data: out, offset: to + i * outStride, strides: [outStride, ...rest.map((a) => a.out)] },
          );
        }
        return;
      }
      for (let i = 0; i < axis.size; i++) await visit(level + 1, from + i * axis.stride, to + i * axis.out);
    };
    await visit(0, box.from, box.to);
  };

  return {
    shape,
    dtype: shift === 0 ? flat.dtype : "f32",
    scattered: last >= 0 && shape[last]! > 1 && strides[last] !== 1,
    load: async (region, dtype, take = allocate) => {
      const pieces = [...piecesOf(region, strides, rows)];
      const single = pieces.length === 1 ? denseSpan(pieces[0]!) : undefined;
      if (single !== undefined && shift === 0 && single.count * flat.elementBytes <= READ_BYTES)
        return flat.read(single.from, single.count, dtype, take);
      // Converted last: on the way, gaps are read too, and dropped.
      const out = take(flat.dtype, sizeOf(region.size));
      for (const piece of pieces) await gather(piece, out);
      return shift === 0
        ? convertData(out, flat.dtype, dtype, undefined, take)
        : shifted(out, flat.dtype, shift, dtype);
    },
  };
}

function shifted(data: TypedArray, from: DType, shift: number, to: DType): TypedArray {
  const values = convertData(data, from, "f32") as Float32Array;
  for (let i = 0; i < values.length; i++) values[i]! += shift;
  return convertData(values, "f32", to);
}

interface Piece {
  readonly axes: readonly Axis[];
  readonly from: number;
  readonly to: number;
}

/** A region as boxes of the stored line, one or more for each run of rows. */
function* piecesOf(region: Region, strides: readonly number[], rows: readonly RowRun[]): Generator<Piece> {
  const outs = stridesOf(region.size);
  const inner: Axis[] = [];
  let base = 0;
  for (let axis = 1; axis < region.size.length; axis++) {
    inner.push({ size: region.size[axis]!, stride: strides[axis]!, out: outs[axis]! });
    base += region.start[axis]! * strides[axis]!;
  }
  const [rowStride = 1] = strides;
  const [rowOut = 1] = outs;
  const first = region.start[0] ?? 0;
  const end = first + (region.size[0] ?? 1);
  let at = 0;
  for (const run of rows) {
    const count = sizeOf(run.shape);
    const from = Math.max(first, at);
    const left = Math.min(end, at + count) - from;
    let row = from - first;
    for (const { start, size } of boxesOfRange(run.shape, from - at, left)) {
      const within = stridesOf(size);
      const axes = size.map((dim, i) => ({
        size: dim,
        stride: run.strides[i]! * rowStride,
        out: within[i]! * rowOut,
      }));
      const stored = run.start + start.reduce((sum, index, i) => sum + index * run.strides[i]!, 0);
      yield { axes: [...axes, ...inner], from: base + stored * rowStride, to: row * rowOut };
      row += sizeOf(size);
    }
    at += count;
  }
}

/** The stretch of the stored line that a piece is, if it is one and in order. */
function denseSpan({ axes, from }: Piece): { from: number; count: number } | undefined {
  let step = 1;
  for (const { size, stride } of axes.toReversed()) {
    if (size !== 1 && stride !== step) return undefined;
    step *= size;
  }
  return { from, count: step };
}

/** extents[i]: how long a stretch the axes from i on span. */
function extentsOf(axes: readonly Axis[]): number[] {
  const extents = new Array<number>(axes.length + 1).fill(1);
  for (let i = axes.length - 1; i >= 0; i--) extents[i] = extents[i + 1]! + (axes[i]!.size - 1) * axes[i]!.stride;
  return extents;
}

function checkExtent(
  stored: StoredTensor,
  flat: FlatReader,
  strides: readonly number[],
  rows: readonly RowRun[],
): void {
  if (sizeOf(stored.shape) === 0) return;
  const steps = [...strides, ...rows.flatMap((run) => [run.start, ...run.strides])];
  if (strides.length !== stored.shape.length || !steps.every((step) => Number.isInteger(step) && step >= 0))
    throw new TensorError("stored-invalid", `${stored.name}: its strides are no whole numbers, one for each axis`);
  const rowCount = rows.reduce((sum, run) => sum + sizeOf(run.shape), 0);
  const lastRow = Math.max(
    ...rows.map((run) => run.start + run.shape.reduce((sum, dim, i) => sum + (dim - 1) * run.strides[i]!, 0)),
  );
  const rest = stored.shape.slice(1).reduce((sum, dim, i) => sum + (dim - 1) * strides[i + 1]!, 0);
  const needed = lastRow * (strides[0] ?? 1) + rest + 1;
  if (rowCount !== (stored.shape[0] ?? 1) || needed > flat.count)
    throw new TensorError(
      "stored-invalid",
      `${stored.name}: [${stored.shape.join(", ")}] of ${stored.format} doesn't fit into the ${flat.count} elements stored`,
    );
}
