import { sizeOf, type Tensor } from "@llm/tensor";
import { op } from "../op-def.ts";
import { boolean, choice, integer, integers, optional, schema } from "../schema.ts";
import { axisOf, broadcast, check, trailing, typeText, wantFloat, wantSameDType, withShape } from "../shape.ts";
import { f32, floats, i32, ints, like, stridesOf } from "../values.ts";
import { stretch } from "./strides.ts";

export const matmul = op({
  doc: "Matrix product of the last two axes, the others broadcast; y may be given transposed.",
  operands: ["x", "y"],
  attrs: schema({ transposeB: optional(boolean) }),
  infer([x, y], { transposeB = false }) {
    wantFloat(x!, "x");
    wantSameDType([x!, y!], ["x", "y"]);
    const [rows, inner] = trailing(x!, 2, "x");
    const [a, b] = trailing(y!, 2, "y");
    const [depth, columns] = transposeB ? [b, a] : [a, b];
    check(inner === depth, () => `${typeText(x!)} times ${typeText(y!)}: ${inner} and ${depth} differ`);
    return [withShape(x!, [...broadcast(x!.shape.slice(0, -2), y!.shape.slice(0, -2)), rows!, columns!])];
  },
  eval([x, y], { transposeB = false }) {
    const [rows, inner] = x!.shape.slice(-2) as [number, number];
    const columns = y!.shape.at(transposeB ? -2 : -1)!;
    const [stepI, stepC] = transposeB ? [1, inner] : [columns, 1];
    const batch = broadcast(x!.shape.slice(0, -2), y!.shape.slice(0, -2)) as number[];
    const [px, py] = [x!, y!].map((t) => stretch({ ...t, shape: t.shape.slice(0, -2) }, batch));
    const out = f32([...batch, rows, columns]);
    const [xs, ys, sums] = [floats(x!), floats(y!), floats(out)];
    for (let n = 0; n < sizeOf(batch); n++)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          const [fromX, fromY] = [(px![n]! * rows + r) * inner, py![n]! * inner * columns + c * stepC];
          for (let i = 0; i < inner; i++) sum += xs[fromX + i]! * ys[fromY + i * stepI]!;
          sums[(n * rows + r) * columns + c] = sum;
        }
    return [out];
  },
});

export const softmax = op({
  doc: "exp(x) over its sum, along an axis; a row of −∞ alone is NaN.",
  operands: ["x"],
  attrs: schema({ axis: integer() }),
  infer([x], { axis }) {
    wantFloat(x!, "x");
    axisOf(axis, x!.shape.length);
    return [x!];
  },
  eval([x], { axis }) {
    const out = f32(x!.shape, floats(x!).slice());
    const data = floats(out);
    for (const [start, step, length] of lines(x!, axis)) {
      let most = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < length; i++) most = Math.max(most, data[start + i * step]!);
      let total = 0;
      for (let i = 0; i < length; i++) total += Math.exp(data[start + i * step]! - most);
      for (let i = 0; i < length; i++) data[start + i * step] = Math.exp(data[start + i * step]! - most) / total;
    }
    return [out];
  },
});

export const reduce = op({
  doc: "Sum, mean, max or min over axes, which stay as 1.",
  operands: ["x"],
  attrs: schema({ fn: choice("sum", "mean", "max", "min"), axes: integers }),
  infer([x], { axes, fn }) {
    if (fn === "mean") wantFloat(x!, "x");
    const gone = axes.map((axis) => axisOf(axis, x!.shape.length));
    return [
      withShape(
        x!,
        x!.shape.map((d, i) => (gone.includes(i) ? 1 : d)),
      ),
    ];
  },
  eval([x], { axes, fn }) {
    const gone = axes.map((axis) => axisOf(axis, x!.shape.length));
    const shape = x!.shape.map((d, i) => (gone.includes(i) ? 1 : d));
    const sums = new Float64Array(sizeOf(shape)).fill(
      fn === "max" ? Number.NEGATIVE_INFINITY : fn === "min" ? Number.POSITIVE_INFINITY : 0,
    );
    const place = stretch({ ...x!, shape }, x!.shape);
    for (let i = 0; i < x!.data.length; i++) {
      const [at, value] = [place[i]!, x!.data[i] as number];
      sums[at] =
        fn === "max" ? Math.max(sums[at]!, value) : fn === "min" ? Math.min(sums[at]!, value) : sums[at]! + value;
    }
    const out = like(x!, shape);
    const count = fn === "mean" ? x!.data.length / sums.length : 1;
    for (let i = 0; i < sums.length; i++) out.data[i] = sums[i]! / count;
    return [out];
  },
});

export const cumsum = op({
  doc: "Running sums along an axis; exclusive: of what comes before.",
  operands: ["x"],
  attrs: schema({ axis: integer(), exclusive: optional(boolean) }),
  infer([x], { axis }) {
    axisOf(axis, x!.shape.length);
    return [x!];
  },
  eval([x], { axis, exclusive = false }) {
    const out = like(x!, x!.shape);
    for (const [start, step, length] of lines(x!, axis)) {
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const value = x!.data[start + i * step] as number;
        out.data[start + i * step] = exclusive ? sum : sum + value;
        sum += value;
      }
    }
    return [out];
  },
});

export const topk = op({
  doc: "The k largest of the last axis, largest first, and where they are; of equals the first.",
  operands: ["x"],
  results: ["values", "ids"],
  attrs: schema({ k: integer(1) }),
  infer([x], { k }) {
    wantFloat(x!, "x");
    const [size] = trailing(x!, 1, "x");
    check(typeof size !== "number" || k <= size, () => `k is ${k} of ${size}`);
    const shape = x!.shape.with(-1, k);
    return [withShape(x!, shape), { dtype: "i32", shape }];
  },
  eval([x], { k }) {
    const size = x!.shape.at(-1)!;
    const shape = x!.shape.with(-1, k);
    const [values, ids] = [f32(shape), i32(shape)];
    for (let n = 0; n < sizeOf(shape) / k; n++) {
      const row = floats(x!).subarray(n * size, (n + 1) * size);
      const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b);
      for (let i = 0; i < k; i++) {
        floats(values)[n * k + i] = row[order[i]!]!;
        ints(ids)[n * k + i] = order[i]!;
      }
    }
    return [values, ids];
  },
});

/** Start, step and length of every line along `axis`. */
function* lines(x: Tensor, axis: number): Generator<[start: number, step: number, length: number]> {
  const along = axisOf(axis, x.shape.length);
  const step = stridesOf(x.shape)[along]!;
  const length = x.shape[along]!;
  for (let o = 0; o < x.data.length; o += step * length) for (let i = 0; i < step; i++) yield [o + i, step, length];
}
