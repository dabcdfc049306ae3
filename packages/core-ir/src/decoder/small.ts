import { codecOf, formatName, sizeOf } from "@llm/tensor";
import { dimProduct } from "../dim.ts";
import { GraphError } from "../error.ts";
import { shardEntrywise, shardPick, shardRound } from "../mesh/rules/entrywise.ts";
import { op } from "../op-def.ts";
import { boolean, format, integer, none, number, optional, schema } from "../schema.ts";
import { check, trailing, typeText, wantDType, wantFloat } from "../shape.ts";
import { f32, floats, ints } from "../values.ts";
import { roundInPrimitives } from "./round-lower.ts";

export const softcap = op({
  doc: "cap · tanh(x / cap)",
  operands: ["x"],
  attrs: schema({ cap: number }),
  infer([x]) {
    wantFloat(x!, "x");
    return [x!];
  },
  eval: ([x], { cap }) => [
    f32(
      x!.shape,
      floats(x!).map((v) => cap * Math.tanh(v / cap)),
    ),
  ],
  lower({ ins: [x], attrs: { cap } }, b) {
    return [b.mul(b.unary("tanh", b.mul(x!, b.scalar(1 / cap, x!))), b.scalar(cap, x!))];
  },
  shard: shardEntrywise,
});

export const pick = op({
  doc: "Rows of x, counted over its flattened leading axes: only what is asked for goes through the head.",
  operands: ["x", "rows"],
  attrs: none,
  infer([x, rows]) {
    wantDType(rows!, "rows", "i32");
    check(rows!.shape.length === 1, () => `rows is ${typeText(rows!)} and must be [n]`);
    return [{ dtype: x!.dtype, shape: [rows!.shape[0]!, ...trailing(x!, 1, "x")] }];
  },
  eval([x, rows]) {
    const width = x!.shape.at(-1)!;
    const count = sizeOf(x!.shape) / width;
    const out = f32([rows!.shape[0]!, width]);
    ints(rows!).forEach((row, i) => {
      if (row < 0 || row >= count) throw new RangeError(`row ${row} is not one of ${count}`);
      floats(out).set(floats(x!).subarray(row * width, (row + 1) * width), i * width);
    });
    return [out];
  },
  lower({ ins: [x, rows] }, b) {
    const { shape } = x!.type;
    const flat = shape.length === 2 ? x! : b.reshape(x!, [dimProduct(shape.slice(0, -1)), shape.at(-1)!]);
    return [b.gather(flat, rows!)];
  },
  shard: shardPick,
});

export const round = op({
  doc: "Values rounded to what a number format can hold, row by row: as a device would keep them.",
  operands: ["x"],
  attrs: schema({ format, group: optional(integer(1)), symmetric: optional(boolean) }),
  infer([x]) {
    wantFloat(x!, "x");
    trailing(x!, 1, "x");
    return [x!];
  },
  eval([x], spec) {
    const columns = x!.shape.at(-1)!;
    const values = floats(x!).slice();
    codecOf(spec).round(values, values.length / columns, columns);
    return [f32(x!.shape, values)];
  },
  lower({ ins: [x], outs, attrs: { format: name, group } }, b) {
    const dtype = HALVES[formatName(name)];
    if (dtype) return x!.type.dtype === dtype ? [x!] : [b.cast(b.cast(x!, dtype), x!.type.dtype)];
    const rounded = roundInPrimitives(b, x!, name, group);
    if (!rounded) throw new GraphError("unsupported", `round ${outs[0]?.id}: no primitives make ${name} of numbers`);
    return [rounded];
  },
  shard: shardRound,
});

/** Formats that are dtypes, too. */
const HALVES: Readonly<Record<string, "f16" | "bf16">> = { fp16: "f16", bf16: "bf16" };
