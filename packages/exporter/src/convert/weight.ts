import type { Value, Weight } from "@llm/core-ir";
import { shapeOf, type WeightExpr } from "@llm/tensor";
import { ExportError } from "../error.ts";
import type { OnnxInitializer } from "../model/onnx-model.ts";
import type { ModelBuilder } from "./model-builder.ts";
import type { Assembly, StoredAs } from "./storage.ts";

/** How a weight lies in the model. */
export interface Lying {
  /** As its own transpose, which is this. */
  readonly turned: WeightExpr | undefined;
  /** As it is stored, with the last step left to the model. */
  readonly stored: StoredAs | undefined;
}

/** The initializers of one weight, and the nodes that make it of them where it is stored otherwise. */
export function emitWeight({ value, expr }: Weight, { turned, stored }: Lying, onnx: ModelBuilder): OnnxInitializer[] {
  const { dtype } = value.type;
  const shape = turned === undefined ? fixedShape(value) : fixedShape(value).toReversed();
  const weight = turned ?? expr;
  if (stored === undefined) return [{ name: onnx.name(value), dtype, shape, weight }];

  onnx.at(value);
  const initializers: OnnxInitializer[] = [];
  const lay = (as: string, of: WeightExpr, size: readonly number[]): string => {
    const name = onnx.fresh(as);
    initializers.push({ name, dtype: stored.dtype, shape: size, weight: of });
    return name;
  };
  const widens = stored.dtype !== dtype;
  const whole =
    stored.assembly === undefined
      ? lay(`${onnx.name(value)}:${stored.dtype}`, weight, shape)
      : assemble(stored.assembly, widens ? undefined : value, onnx, (of) =>
          lay(`${onnx.name(value)}:part`, of, shapeOf(of)),
        );
  if (widens) onnx.node("Cast", [whole], { attrs: { to: { dtype } }, outs: [value] });
  return initializers;
}

/** The nodes that make a weight of what is stored. */
function assemble(
  assembly: Assembly,
  out: Value | undefined,
  onnx: ModelBuilder,
  lay: (expr: WeightExpr) => string,
): string {
  const outs = out === undefined ? {} : { outs: [out] };
  switch (assembly.op) {
    case "stored":
      return lay(assembly.expr);
    case "slice": {
      const [start, end, axis] = [assembly.start, assembly.end, assembly.axis].map((value) => onnx.ints([value]));
      return onnx.node("Slice", [assemble(assembly.of, undefined, onnx, lay), start, end, axis], outs);
    }
    case "reshape":
      return onnx.node("Reshape", [assemble(assembly.of, undefined, onnx, lay), onnx.ints(assembly.shape)], outs);
    case "concat": {
      const parts = assembly.of.map((part) => assemble(part, undefined, onnx, lay));
      return onnx.node("Concat", parts, { attrs: { axis: { int: assembly.axis } }, ...outs });
    }
  }
}

function fixedShape({ id, type }: Value): readonly number[] {
  return type.shape.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new ExportError("graph-invalid", `${id} is a weight with a symbolic dimension, ${dim}`);
  });
}
