import type { Dim } from "@llm/core-ir";
import { type EmitterTable, typeOf } from "../emission.ts";
import { reshapeTo } from "../reshape.ts";

/** ONNX's "up to the end", for slices whose end is the axis' own. */
const TO_THE_END = 2 ** 53 - 1;

/** Ops that move values without looking at them, in ONNX. */
export const layoutEmitters: EmitterTable = {
  reshape({ names: [x], ins, outs }, onnx) {
    reshapeTo(onnx, x, typeOf(ins[0]).shape, outs[0].type.shape, outs);
  },

  transpose({ attrs, names, ins, outs }, onnx) {
    const perm = attrs.perm as readonly number[];
    const keep = typeOf(ins[0]).shape.length - perm.length;
    const full = [...Array(keep).keys(), ...perm.map((axis) => axis + keep)];
    onnx.node("Transpose", names, { attrs: { perm: { ints: full } }, outs });
  },

  expand({ names: [x], outs }, onnx) {
    onnx.node("Expand", [x, onnx.dims(outs[0].type.shape)], { outs });
  },

  concat({ attrs, names, outs }, onnx) {
    onnx.node("Concat", names, { attrs: { axis: { int: attrs.axis as number } }, outs });
  },

  split({ attrs, names: [x], outs }, onnx) {
    const sizes = onnx.ints(attrs.sizes as readonly number[]);
    onnx.nodes("Split", [x, sizes], { attrs: { axis: { int: attrs.axis as number } }, outs });
  },

  slice({ attrs, names: [x], ins, outs }, onnx) {
    const axis = attrs.axis as number;
    const whole = typeOf(ins[0]).shape.at(axis) === attrs.end;
    const end = whole ? onnx.ints([TO_THE_END]) : onnx.dims([attrs.end as Dim]);
    const inputs = [x, onnx.dims([attrs.start as Dim]), end, onnx.ints([axis])];
    const step = (attrs.step as number | undefined) ?? 1;
    onnx.node("Slice", step === 1 ? inputs : [...inputs, onnx.ints([step])], { outs });
  },

  pad({ attrs, names: [x], ins, outs }, onnx) {
    const { dtype, shape } = typeOf(ins[0]);
    const along = (attrs.axis as number) + ((attrs.axis as number) < 0 ? shape.length : 0);
    const pads: Dim[] = Array(2 * shape.length).fill(0);
    pads[along] = attrs.before as Dim;
    pads[along + shape.length] = attrs.after as Dim;
    onnx.node("Pad", [x, onnx.dims(pads), onnx.scalar(dtype, attrs.value as number)], { outs });
  },
};
