/** A box of a tensor: where it starts and how much of each axis it has. */
export interface Region {
  readonly start: readonly number[];
  readonly size: readonly number[];
}

export function wholeRegion(shape: readonly number[]): Region {
  return { start: shape.map(() => 0), size: shape };
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Elements `from` … `from + count` of a tensor in row-major order, as the fewest boxes, in order. */
export function* boxesOfRange(shape: readonly number[], from: number, count: number): Generator<Region> {
  if (count <= 0) return;
  if (shape.length === 0) {
    yield { start: [], size: [] };
    return;
  }
  const [dim, ...rest] = shape as readonly [number, ...number[]];
  const inner = rest.reduce((a, b) => a * b, 1);
  let row = Math.floor(from / inner);
  let offset = from - row * inner;
  let left = count;
  while (left > 0) {
    if (offset === 0 && left >= inner) {
      const rows = Math.min(Math.floor(left / inner), dim - row);
      yield { start: [row, ...rest.map(() => 0)], size: [rows, ...rest] };
      row += rows;
      left -= rows * inner;
      continue;
    }
    const part = Math.min(left, inner - offset);
    for (const { start, size } of boxesOfRange(rest, offset, part))
      yield { start: [row, ...start], size: [1, ...size] };
    row++;
    offset = 0;
    left -= part;
  }
}

/** A tensor in row-major order, cut into boxes of at most `most` elements each. */
export function* boxesInOrder(shape: readonly number[], most: number): Generator<Region> {
  let axis = shape.length;
  let inner = 1;
  while (axis > 0 && inner * shape[axis - 1]! <= most) inner *= shape[--axis]!;
  if (shape.includes(0)) return;
  if (axis === 0) {
    yield wholeRegion(shape);
    return;
  }
  const step = Math.max(1, Math.floor(most / inner));
  const outer = shape.slice(0, axis - 1);
  const dim = shape[axis - 1]!;
  for (const index of indices(outer))
    for (let at = 0; at < dim; at += step)
      yield {
        start: [...index, at, ...shape.slice(axis).map(() => 0)],
        size: [...outer.map(() => 1), Math.min(step, dim - at), ...shape.slice(axis)],
      };
}

/** Every index into `shape`, in row-major order. */
export function* indices(shape: readonly number[]): Generator<readonly number[]> {
  if (shape.length === 0) {
    yield [];
    return;
  }
  const [dim, ...rest] = shape as readonly [number, ...number[]];
  for (let i = 0; i < dim; i++) for (const inner of indices(rest)) yield [i, ...inner];
}
