import { sizeOf } from "../tensor.ts";
import { copyBox } from "./copy-box.ts";
import { allocate, type Loader, type Take } from "./loader.ts";
import { boxesOfRange, indices, type Region, stridesOf } from "./region.ts";

/** Axes of one shape that are together as many entries as axes of the other. */
interface Group {
  readonly before: readonly [start: number, end: number];
  readonly after: readonly [start: number, end: number];
}

/** The part of a region that lies within one group, as boxes of the shape before, in order. */
interface Piece extends Region {
  readonly count: number;
  readonly at: number; // among the region's entries in this group
}

/** The same elements in row-major order under another shape. */
export function reshapeLoader(of: Loader, shape: readonly number[]): Loader {
  const groups = sizeOf(shape) === 0 ? [] : groupsOf(of.shape, shape);
  return {
    ...of,
    shape,
    load: async (region, dtype, take = allocate) => {
      const size = sizeOf(region.size);
      if (size === 0) return allocate(dtype, 0);
      const pieces = groups.map((group) => [...piecesOf(group, of.shape, shape, region)]);
      const load = (some: readonly Piece[], into?: Take) =>
        of.load({ start: some.flatMap(({ start }) => start), size: some.flatMap(({ size }) => size) }, dtype, into);
      if (pieces.every(({ length }) => length === 1))
        return load(
          pieces.map(([piece]) => piece!),
          take,
        );
      const out = take(dtype, size);
      const strides = stridesOf(groups.map(({ after }) => sizeOf(region.size.slice(...after))));
      for (const index of indices(pieces.map(({ length }) => length))) {
        const some = index.map((i, group) => pieces[group]![i]!);
        const counts = some.map(({ count }) => count);
        const offset = some.reduce((sum, { at }, group) => sum + at * strides[group]!, 0);
        const from = { data: await load(some), offset: 0, strides: stridesOf(counts) };
        copyBox(counts, from, { data: out, offset, strides });
      }
      return out;
    },
  };
}

function groupsOf(before: readonly number[], after: readonly number[]): Group[] {
  const groups: Group[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const start = [i, j] as const;
    let [a, b] = [before[i++] ?? 1, after[j++] ?? 1];
    while (a !== b) {
      if (a < b) a *= before[i++]!;
      else b *= after[j++]!;
    }
    groups.push({
      before: [start[0], Math.min(i, before.length)],
      after: [start[1], Math.min(j, after.length)],
    });
  }
  return groups;
}

function* piecesOf(
  group: Group,
  before: readonly number[],
  after: readonly number[],
  region: Region,
): Generator<Piece> {
  const shape = after.slice(...group.after);
  const start = region.start.slice(...group.after);
  const size = region.size.slice(...group.after);
  // Runs of the region that are one stretch in row-major order: whole trailing axes, and a part of the one before.
  let axis = shape.length;
  while (axis > 0 && size[axis - 1] === shape[axis - 1]) axis--;
  const outer = Math.max(axis - 1, 0);
  const strides = stridesOf(shape);
  const run = sizeOf(size.slice(outer));
  const inner = start.slice(outer).reduce((sum, index, i) => sum + index * strides[outer + i]!, 0);
  let at = 0;
  for (const index of indices(size.slice(0, outer))) {
    const from = index.reduce((sum, offset, i) => sum + (start[i]! + offset) * strides[i]!, inner);
    for (const box of boxesOfRange(before.slice(...group.before), from, run)) {
      const count = sizeOf(box.size);
      yield { ...box, count, at };
      at += count;
    }
  }
}
