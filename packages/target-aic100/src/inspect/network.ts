import { Damaged } from "./damaged.ts";
import { bytesOf, type Field, fields, floatOf, numberOf, numbersOf, signedOf, textOf } from "./protobuf.ts";

/** What a QPC says of the network in it. */
export interface Network {
  readonly name: string;
  /** Of the description's format. */
  readonly version: string;
  readonly batchSize?: number;
  readonly cores: number;
  readonly threads: number;
  readonly inputs: readonly Binding[];
  readonly outputs: readonly Binding[];
  /** One for each specialization: shapes by the names of inputs and outputs. */
  readonly shapes: readonly Readonly<Record<string, AllowedShape>>[];
}

/** An input or output, as the host gives or gets it. */
export interface Binding {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  /** Scale and offset of quantised ones. */
  readonly scale?: number;
  readonly offset?: number;
  /** A smaller buffer than the whole will do: so are caches skipped. */
  readonly isPartialAllowed: boolean;
}

export interface AllowedShape {
  readonly dtype: string;
  readonly dims: readonly number[];
}

/** The runtime's numbers of element types. */
const DTYPES: readonly string[] = [
  "float32",
  "float16",
  "int8 quantised",
  "uint8 quantised",
  "int16 quantised",
  "int32 quantised",
  "int32",
  "int64",
  "int8",
  "type 9",
  "type 10",
  "bfloat16",
];
/** Of inputs, outputs, specializations and dimensions: a damaged file must not make us list millions. */
const MOST_ENTRIES = 1 << 16;

/** Reads the network's description: a protobuf message, of which only these fields are looked at. */
export function readNetwork(bytes: Uint8Array): Network {
  const [inputs, outputs]: [Binding[], Binding[]] = [[], []];
  const lists: Uint8Array[] = [];
  const numbers = new Map<number, number>();
  let name = "";
  for (const { number, value } of fields(bytes)) {
    if (number === 3) name = textOf(value);
    else if (number === 4) inputs.push(readBinding(bytesOf(value)));
    else if (number === 5) outputs.push(readBinding(bytesOf(value)));
    else if (number === 18) lists.push(bytesOf(value));
    else if ([1, 2, 7, 8, 14].includes(number)) numbers.set(number, numberOf(value));
    if (inputs.length + outputs.length + lists.length > MOST_ENTRIES) throw new Damaged("a list without an end");
  }
  const bindings = [...inputs, ...outputs];
  const batchSize = numbers.get(14);
  return {
    name,
    version: `${numbers.get(1) ?? 0}.${numbers.get(2) ?? 0}`,
    ...(batchSize === undefined ? {} : { batchSize }),
    cores: numbers.get(7) ?? 0,
    threads: numbers.get(8) ?? 0,
    inputs,
    outputs,
    shapes: lists.map((list) => readShapes(list, bindings)),
  };
}

function readBinding(bytes: Uint8Array): Binding {
  let name = "";
  let isPartialAllowed = false;
  let described: Partial<Binding> = {};
  for (const { number, value } of fields(bytes)) {
    if (number === 1) name = textOf(value);
    else if (number === 2) described = readDescriptor(bytesOf(value));
    else if (number === 5) isPartialAllowed = numberOf(value) !== 0;
  }
  return { name, dtype: dtypeOf(0), dims: [], ...described, isPartialAllowed };
}

function readDescriptor(bytes: Uint8Array): Partial<Binding> {
  const dims: number[] = [];
  let dtype = dtypeOf(0);
  let scale = 0;
  let offset = 0;
  for (const field of fields(bytes)) {
    if (field.number === 1) dtype = dtypeOf(numberOf(field.value));
    else if (field.number === 2) scale = floatOf(field.value);
    else if (field.number === 3) offset = signedOf(field.value);
    else if (field.number === 4) add(dims, field);
  }
  return { dtype, dims, ...(scale === 0 ? {} : { scale, offset }) };
}

/** Shapes in the order of inputs, then outputs. */
function readShapes(bytes: Uint8Array, bindings: readonly Binding[]): Network["shapes"][number] {
  const shapes: Record<string, AllowedShape> = Object.create(null);
  let at = 0;
  for (const { number, value } of fields(bytes)) {
    if (number !== 1) continue;
    const binding = bindings[at++];
    if (!binding) throw new Damaged("more shapes than inputs and outputs");
    const dims: number[] = [];
    let dtype = dtypeOf(0);
    for (const field of fields(bytesOf(value))) {
      if (field.number === 1) dtype = dtypeOf(numberOf(field.value));
      else if (field.number === 2) add(dims, field);
    }
    shapes[binding.name] = { dtype, dims };
  }
  return shapes;
}

function add(dims: number[], field: Field): void {
  for (const dim of numbersOf(field)) dims.push(dim);
  if (dims.length > MOST_ENTRIES) throw new Damaged("a shape without an end");
}

function dtypeOf(number: number): string {
  return DTYPES[number] ?? `type ${number}`;
}
