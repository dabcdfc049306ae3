import type { TypedArray } from "../dtype.ts";

/** One side of a copy: elements of an array seen as a tensor. */
export interface Side<T = TypedArray> {
  readonly data: T;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Entries of a tile's side: both sides' cache lines of a tile fit into the first-level cache. */
const TILE = 32;

interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Copies a box of `size` from one strided array to another; both must be of one type. */
export function copyBox(size: readonly number[], from: Side, to: Side): void {
  const axes = merged(size, from.strides, to.strides);
  if (axes === undefined) return;
  // BigInt64Array copies like the others; only the type of a single element differs.
  copyAxes(axes, 0, from.data as Float32Array, from.offset, to.data as Float32Array, to.offset);
}

/** Axes of one entry go; axes that are one run on both sides become one. Undefined: there is nothing to copy. */
function merged(size: readonly number[], from: readonly number[], to: readonly number[]): readonly Axis[] | undefined {
  const axes: Axis[] = [];
  for (let i = 0; i < size.length; i++) {
    if (size[i] === 0) return undefined;
    if (size[i] === 1) continue;
    const axis = { size: size[i]!, from: from[i]!, to: to[i]! };
    const outer = axes.at(-1);
    if (outer && outer.from === axis.from * axis.size && outer.to === axis.to * axis.size)
      axes[axes.length - 1] = { size: outer.size * axis.size, from: axis.from, to: axis.to };
    else axes.push(axis);
  }
  return axes;
}

type Numbers = Float32Array<ArrayBufferLike>;

function copyAxes(axes: readonly Axis[], depth: number, a: Numbers, from: number, b: Numbers, to: number): void {
  const left = axes.length - depth;
  if (left === 0) {
    b[to] = a[from]!;
  } else if (left === 1) {
    copyRun(axes[depth]!, a, from, b, to);
  } else if (left === 2 && axes[depth + 1]!.from !== axes[depth + 1]!.to) {
    // Written in order where one of the two can be.
    const [rows, columns] = axes[depth]!.to === 1 ? [axes[depth + 1]!, axes[depth]!] : [axes[depth]!, axes[depth + 1]!];
    copyTiled(rows, columns, a, from, b, to);
  } else {
    const axis = axes[depth]!;
    for (let i = 0; i < axis.size; i++) copyAxes(axes, depth + 1, a, from + i * axis.from, b, to + i * axis.to);
  }
}

/** Below this, a call to `set` costs more than the loop. */
const SHORT_RUN = 16;

function copyRun(axis: Axis, a: Numbers, from: number, b: Numbers, to: number): void {
  if (axis.from === 1 && axis.to === 1 && axis.size > SHORT_RUN) {
    b.set(a.subarray(from, from + axis.size), to);
    return;
  }
  for (let i = 0; i < axis.size; i++) b[to + i * axis.to] = a[from + i * axis.from]!;
}

/** In tiles, so that neither side is read or written a cache line per element. */
function copyTiled(rows: Axis, columns: Axis, a: Numbers, from: number, b: Numbers, to: number): void {
  for (let r = 0; r < rows.size; r += TILE) {
    const rowEnd = Math.min(r + TILE, rows.size);
    for (let c = 0; c < columns.size; c += TILE) {
      const columnEnd = Math.min(c + TILE, columns.size);
      for (let i = r; i < rowEnd; i++) {
        const source = from + i * rows.from;
        const target = to + i * rows.to;
        for (let j = c; j < columnEnd; j++) b[target + j * columns.to] = a[source + j * columns.from]!;
      }
    }
  }
}
