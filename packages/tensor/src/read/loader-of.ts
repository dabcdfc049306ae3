import { decide } from "../bind.ts";
import { DTYPES, type DType } from "../dtype.ts";
import { TensorError } from "../error.ts";
import { axisOf, shapeOf } from "../expr/shape-of.ts";
import { simplify } from "../expr/simplify.ts";
import { blockCodec } from "../formats/gguf/index.ts";
import { codecOf } from "../formats/index.ts";
import { AWQ, GPTQ } from "../formats/linear-words.ts";
import type { StoredTensor, WeightSource } from "../source.ts";
import type { WeightExpr } from "../weight-expr.ts";
import { constantLoader, encodeLoader, rowNormLoader } from "./computed.ts";
import { blockReader, plainReader } from "./flat-reader.ts";
import type { Loader } from "./loader.ts";
import { concatLoader, permuteLoader, sliceLoader, stackLoader } from "./moves.ts";
import { packedLinearLoader } from "./packed-linear.ts";
import { stridesOf } from "./region.ts";
import { reshapeLoader } from "./reshape.ts";
import { scaledBytesLoader } from "./scaled-bytes.ts";
import { stridedLoader } from "./strided.ts";

/** What brings boxes of an expression into memory. Shapes are checked here, nothing is read. */
export function loaderOf(expr: WeightExpr, source: WeightSource): Loader {
  shapeOf(expr);
  return build(simplify(decide(expr, source)), source);
}

function build(expr: WeightExpr, source: WeightSource): Loader {
  switch (expr.op) {
    case "tensor":
      return storedLoader(storedTensor(expr.name, expr.shape, source), source);
    case "either":
      return build(expr.of[0]!, source);
    case "slice": {
      const of = build(expr.of, source);
      return sliceLoader(of, axisOf(expr, expr.axis, of.shape.length), expr.start, expr.end);
    }
    case "permute":
      return permuted(expr.of, expr.perm, source);
    case "reshape":
      return reshapeLoader(build(expr.of, source), expr.shape);
    case "concat": {
      const parts = expr.of.map((of) => build(of, source));
      return concatLoader(parts, axisOf(expr, expr.axis, parts[0]!.shape.length));
    }
    case "stack":
      return stackLoader(expr.of.map((of) => build(of, source)));
    case "rowNorm":
      return rowNormLoader(build(expr.of, source));
    case "encode":
      return encodeLoader(build(expr.of, source), codecOf(expr.format).round);
    case "constant":
      return constantLoader(expr.dtype, expr.shape, expr.values);
  }
}

/** A stored tensor's axes are put in order while it is read, so that it needs no second copy. */
function permuted(of: WeightExpr, perm: readonly number[], source: WeightSource): Loader {
  if (of.op === "slice") {
    const { axis, start, end } = of;
    return sliceLoader(permuted(of.of, perm, source), perm.indexOf(axis), start, end);
  }
  if (of.op === "tensor") {
    const stored = storedTensor(of.name, of.shape, source);
    if (!stored.rows && Object.keys(stored.parts).length === 1) {
      const strides = stored.strides ?? stridesOf(stored.shape);
      const pick = (by: readonly number[]) => perm.map((axis) => by[axis]!);
      return storedLoader({ ...stored, shape: pick(stored.shape), strides: pick(strides) }, source);
    }
  }
  return permuteLoader(build(of, source), perm);
}

/** The stored tensor of that name, which must have the shape that the model says. */
export function storedTensor(name: string, shape: readonly number[], source: WeightSource): StoredTensor {
  const stored = source.get(name);
  if (!stored) throw new TensorError("weights-missing", `the checkpoint lacks ${name}`);
  if (stored.shape.join() !== shape.join())
    throw new TensorError(
      "weights-shape",
      `${name} is [${stored.shape.join(", ")}] in the checkpoint, not [${shape.join(", ")}]`,
    );
  return stored;
}

function storedLoader(stored: StoredTensor, source: WeightSource): Loader {
  const { format } = stored;
  if (format === "gptq" || format === "awq") return packedLinearLoader(stored, format === "gptq" ? GPTQ : AWQ, source);
  if (format === "f8_e4m3") return scaledBytesLoader(stored, source);
  if (Object.hasOwn(DTYPES, format)) return stridedLoader(stored, plainReader(stored, format as DType, source));
  const codec = blockCodec(format);
  if (!codec) throw new TensorError("format-unsupported", `${stored.name}: tensors of ${format} can't be read`);
  return stridedLoader(stored, blockReader(stored, codec, source));
}
