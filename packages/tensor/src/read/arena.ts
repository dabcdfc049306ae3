import { DTYPES, type DType, type TypedArray } from "../dtype.ts";
import type { Take } from "./loader.ts";

const LINE = 64;

/** Large buffers begin this far into a page, behind what the allocator keeps there. */
const TAKEN = 16;

/**
 * Memory for one chunk after another. Fresh pages cost more than copying what a file's cache holds into old ones, and so do copies that
 * start in the middle of a cache line.
 */
export interface Arena {
  readonly take: Take;
  /** From here on the arrays taken so far may be given out again. */
  reset(): void;
  /** Nobody looks at any of it any more: the next one may have it. */
  done(): void;
}

/** What is kept for the next arenas, of as many as were in use at once; what transposes take is more, and not worth keeping. */
const KEPT_BYTES = 32 * 2 ** 20;

const idle: ArrayBuffer[][] = [];

/**
 * An arena with a buffer for each array that a chunk takes, as large as the largest so far.
 *
 * @example
 * const arena = reusingArena();
 * for (const expr of weights) {
 *   arena.reset(); // what was read before is read over
 *   use(await read(expr, source, "f32", { take: arena.take }));
 * }
 * arena.done();
 */
export function reusingArena(): Arena {
  const buffers = idle.pop() ?? [];
  let next = 0;
  return {
    take(dtype: DType, count: number): TypedArray {
      const { array, bytes } = DTYPES[dtype];
      const wanted = count * bytes;
      const at = next++;
      if ((buffers[at]?.byteLength ?? 0) < wanted + LINE) buffers[at] = new ArrayBuffer(wanted + LINE);
      return new array(buffers[at]!, LINE - TAKEN, count);
    },
    reset() {
      next = 0;
    },
    done() {
      const kept = [...idle, buffers].flat().reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (kept <= KEPT_BYTES) idle.push(buffers);
    },
  };
}
