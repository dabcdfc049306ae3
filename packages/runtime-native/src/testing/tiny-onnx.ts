/** As much of ONNX's protobuf as the tests of this package need; the real writer is in a package this one may not know. */

const TYPES = { f32: 1, u8: 2, i32: 6, i64: 7, f16: 10 } as const;
export type TinyType = keyof typeof TYPES;

export interface TinyPort {
  readonly name: string;
  readonly type: TinyType;
  readonly shape: readonly (number | string)[];
}

export interface TinyNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints?: Readonly<Record<string, number>>;
}

/** A weight in another file of the same folder; f32 unless said. */
export interface TinyWeight {
  readonly name: string;
  readonly type?: "f32" | "u8" | "i32";
  readonly shape: readonly number[];
  readonly file: string;
  readonly offset: number;
}

export interface TinyModel {
  readonly nodes: readonly TinyNode[];
  readonly inputs: readonly TinyPort[];
  readonly outputs: readonly TinyPort[];
  readonly weights?: readonly TinyWeight[];
}

export function tinyOnnx(model: TinyModel): Uint8Array {
  const graph = [
    ...model.nodes.map((node) => message(1, nodeProto(node))),
    message(2, utf8("tiny")),
    ...(model.weights ?? []).map((weight) => message(5, weightProto(weight))),
    ...model.inputs.map((port) => message(11, portProto(port))),
    ...model.outputs.map((port) => message(12, portProto(port))),
  ];
  const opset = (domain: string, version: number) => message(8, [message(1, utf8(domain)), int(2, version)]);
  return Buffer.concat([int(1, 10), message(7, graph), opset("", 21), opset("com.microsoft", 1)]);
}

function nodeProto({ op, domain = "", inputs, outputs, ints = {} }: TinyNode): Uint8Array[] {
  const attribute = ([name, value]: [string, number]) =>
    message(5, [message(1, utf8(name)), int(3, value), int(20, 2)]);
  return [
    ...inputs.map((name) => message(1, utf8(name))),
    ...outputs.map((name) => message(2, utf8(name))),
    message(4, utf8(op)),
    ...Object.entries(ints).map(attribute),
    message(7, utf8(domain)),
  ];
}

function portProto({ name, type, shape }: TinyPort): Uint8Array[] {
  const dims = shape.map((dim) => message(1, [typeof dim === "number" ? int(1, dim) : message(2, utf8(dim))]));
  return [message(1, utf8(name)), message(2, [message(1, [int(1, TYPES[type]), message(2, dims)])])];
}

function weightProto({ name, type = "f32", shape, file, offset }: TinyWeight): Uint8Array[] {
  const length = (type === "u8" ? 1 : 4) * shape.reduce((size, dim) => size * dim, 1);
  const entry = (key: string, value: string | number) =>
    message(13, [message(1, utf8(key)), message(2, utf8(`${value}`))]);
  return [
    ...shape.map((dim) => int(1, dim)),
    int(2, TYPES[type]),
    message(8, utf8(name)),
    entry("location", file),
    entry("offset", offset),
    entry("length", length),
    int(14, 1),
  ];
}

function message(field: number, parts: Uint8Array | readonly Uint8Array[]): Uint8Array {
  const body = parts instanceof Uint8Array ? parts : Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function int(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Uint8Array {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}
