import { axisOf, shapeOf } from "../expr/shape-of.ts";
import { blockCodec } from "../formats/gguf/index.ts";
import type { PackedPart } from "../packing.ts";
import type { StoredTensor, WeightSource } from "../source.ts";
import type { WeightExpr } from "../weight-expr.ts";

/** An expression over the bytes of stored blocks instead of their values. */
interface ByteExpr {
  readonly expr: WeightExpr;
  readonly source: WeightSource;
}

/**
 * An expression that only moves whole blocks of `wanted`, as a u8 expression: each row becomes its bytes, so that reordered,
 * stacked and cut rows stay packed bit for bit. Undefined where a value would have to leave its block, or isn't stored so.
 */
export function asStoredBytes(expr: WeightExpr, source: WeightSource, wanted: PackedPart): ByteExpr | undefined {
  const codec = blockCodec(wanted.format);
  if (!codec) return undefined;
  const { block, bytes } = codec;
  const scaled = (count: number) => (count % block === 0 ? (count / block) * bytes : undefined);
  const inBytes = (shape: readonly number[]) => {
    const row = scaled(shape.at(-1) ?? 1);
    return row === undefined || shape.length === 0 ? undefined : shape.with(-1, row);
  };

  const storedInBytes = (stored: StoredTensor): StoredTensor | undefined => {
    const shape = inBytes(stored.shape);
    if (stored.format !== wanted.format || stored.shift || !shape) return undefined;
    if (!stored.strides) return { ...stored, shape, format: "u8" };
    const strides = stored.strides.slice(0, -1).map(scaled);
    if (stored.strides.at(-1) !== 1 || strides.includes(undefined)) return undefined;
    return { ...stored, shape, format: "u8", strides: [...(strides as number[]), 1] };
  };

  const visit = (part: WeightExpr): WeightExpr | undefined => {
    const rank = shapeOf(part).length;
    switch (part.op) {
      case "tensor": {
        const stored = source.get(part.name);
        const shape = inBytes(part.shape);
        return stored && shape && storedInBytes(stored) ? { ...part, shape } : undefined;
      }
      case "slice": {
        const of = visit(part.of);
        const last = axisOf(part, part.axis, rank) === rank - 1;
        const [start, end] = last ? [scaled(part.start), scaled(part.end)] : [part.start, part.end];
        return of && start !== undefined && end !== undefined ? { ...part, of, start, end } : undefined;
      }
      case "permute": {
        const of = part.perm.at(-1) === rank - 1 ? visit(part.of) : undefined;
        return of && { ...part, of };
      }
      case "reshape": {
        const of = shapeOf(part.of).at(-1) === part.shape.at(-1) ? visit(part.of) : undefined;
        return of && { ...part, of, shape: inBytes(part.shape)! };
      }
      case "concat":
      case "stack": {
        const of = part.of.map(visit);
        return of.includes(undefined) ? undefined : { ...part, of: of as WeightExpr[] };
      }
      case "encode":
        return part.format.format === wanted.format ? visit(part.of) : undefined;
      default:
        return undefined;
    }
  };

  const bytesExpr = visit(expr);
  if (!bytesExpr) return undefined;
  const get = (name: string) => {
    const stored = source.get(name);
    return stored && storedInBytes(stored);
  };
  return {
    expr: bytesExpr,
    source: {
      get fingerprint() {
        return source.fingerprint;
      },
      names: () => source.names(),
      get,
      read: (span, into) => source.read(span, into),
    },
  };
}
