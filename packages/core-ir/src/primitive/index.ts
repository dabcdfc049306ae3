import { type Dialect, dialect } from "../op-def.ts";
import { binary, clip, compare, unary, where } from "./elementwise.ts";
import { cast, gather, iota, scatter } from "./indexing.ts";
import { concat, expand, pad, reshape, slice, split, transpose } from "./layout.ts";
import { cumsum, matmul, reduce, softmax, topk } from "./reduction.ts";

/** What every device has in some form; decoder ops lower to these. Negative axes count from the end. */
export const primitive: Dialect = dialect("primitive", {
  iota,
  cast,
  unary,
  binary,
  compare,
  where,
  clip,
  matmul,
  softmax,
  reduce,
  cumsum,
  topk,
  reshape,
  transpose,
  expand,
  concat,
  split,
  slice,
  pad,
  gather,
  scatter,
});
