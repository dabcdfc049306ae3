import type { Dim, Value } from "@llm/core-ir";
import type { Emission } from "./emission.ts";

/** A Reshape that asks for as few sizes at run time as ONNX lets it: "as it was" (0), "the rest" (-1), then computed ones. */
export function reshapeTo(
  onnx: Emission,
  x: string,
  from: readonly Dim[],
  to: readonly Dim[],
  outs?: readonly Value[],
): string {
  const sizes: Dim[] = to.map((dim, axis) => (typeof dim === "string" && dim === from[axis] ? 0 : dim));
  const open = sizes.filter((dim) => typeof dim === "string");
  const shape = open.length === 1 ? sizes.map((dim) => (typeof dim === "string" ? -1 : dim)) : sizes;
  return onnx.node("Reshape", [x, onnx.dims(shape)], outs === undefined ? {} : { outs });
}
