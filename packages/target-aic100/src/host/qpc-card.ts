import { NativeError } from "@llm/runtime-native";
import type { OrtTensor } from "@llm/runtime-native/ort";
import type { QaicBuffer, QaicHost, QaicMapping } from "@llm/runtime-native/qaic";
import { NEXT_TOKENS, REPETITION_BUFFER } from "../graph/sampler-ports.ts";
import type { AllowedShape, Network } from "../inspect/network.ts";
import type { Card } from "../session/card.ts";
import { RETAINED } from "./retained.ts";

/** Bytes of an element, by the network's names. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int64: 8,
  int32: 4,
  int8: 1,
  bfloat16: 2,
};

/** A QPC on its devices, as sessions drive it. */
export class QpcCard implements Card {
  readonly vocab: number;
  readonly inputs: readonly string[];
  readonly output: Card["output"];
  readonly #host: QaicHost;
  /** One for each shape that was compiled. */
  readonly #shapes: readonly Readonly<Record<string, AllowedShape>>[];
  readonly #given = new Map<string, Uint8Array>();

  constructor(host: QaicHost, network: Network) {
    this.#host = host;
    this.#shapes = shapesOf(network);
    const names = new Set([...network.inputs, ...network.outputs].map(({ name }) => name));
    const unknown = host.mappings.find(({ name }) => !names.has(name));
    if (unknown)
      throw invalid(`the runtime's ${unknown.name} is not in the QPC's description: the file is of another compile`);
    this.inputs = network.inputs.map(({ name }) => name).filter((name) => !RETAINED.test(name));
    const port = (name: string) => [...network.outputs, ...network.inputs].find((one) => one.name === name);
    const samples = port(NEXT_TOKENS) !== undefined;
    this.output = samples ? NEXT_TOKENS : "logits";
    const ofVocabulary = port(samples ? REPETITION_BUFFER : "logits");
    if (!ofVocabulary) throw invalid(`this QPC has no ${samples ? REPETITION_BUFFER : "logits"}`);
    this.vocab = ofVocabulary.dims.at(-1)!;
  }

  /** For the next call alone; after it the device keeps what became of it. */
  give(name: string, data: Uint8Array): void {
    this.#given.set(name, data);
  }

  async call(inputs: Readonly<Record<string, OrtTensor>>): Promise<Float32Array | Int32Array> {
    const shape = this.#shapeFor(inputs);
    const buffers = this.#host.mappings.map((mapping) => this.#bufferOf(mapping, shape, inputs));
    this.#given.clear();
    const [answer] = await this.#host.call(buffers);
    if (!answer) throw new NativeError("device-failed", `the device returned no ${this.output}`);
    const { dtype } = shape[this.output]!;
    return this.output === "logits" ? floats(answer, dtype) : ids(answer, dtype);
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  /** The runtime chooses by dimensions too; what it refuses without a reason is said here with one. */
  #shapeFor(inputs: Readonly<Record<string, OrtTensor>>): Readonly<Record<string, AllowedShape>> {
    const found = this.#shapes.find((shape) =>
      Object.entries(inputs).every(([name, { shape: dims }]) => isSame(shape[name]?.dims, dims)),
    );
    if (found) return found;
    const told = (name: string) => this.#shapes.map((shape) => `[${shape[name]?.dims.join(", ") ?? ""}]`).join(" or ");
    const [name, tensor] =
      Object.entries(inputs).find(([key, { shape: dims }]) =>
        this.#shapes.every((shape) => !isSame(shape[key]?.dims, dims)),
      ) ?? Object.entries(inputs)[0]!;
    throw new NativeError(
      "input-invalid",
      `${name} [${tensor.shape.join(", ")}]: the QPC was compiled for ${told(name)}`,
    );
  }

  #bufferOf(
    { name, isInput }: QaicMapping,
    shape: Readonly<Record<string, AllowedShape>>,
    inputs: Readonly<Record<string, OrtTensor>>,
  ): QaicBuffer {
    const allowed = shape[name];
    if (!allowed) return "kept";
    const elementBytes = ELEMENT_BYTES[allowed.dtype] ?? 1;
    const instead = this.#given.get(name);
    if (!instead && (RETAINED.test(name) || (!isInput && name !== this.output))) return "kept";
    if (!isInput) return { dims: allowed.dims, elementBytes, data: "wanted" };
    const data = instead ?? bytesOf(inputs[name]);
    if (!data) throw new NativeError("input-invalid", `${name} is missing`);
    const size = elementBytes * allowed.dims.reduce((a, b) => a * b, 1);
    if (data.length !== size)
      throw new NativeError(
        "input-invalid",
        `${name} has ${data.length} bytes, the QPC takes ${size} (${allowed.dtype})`,
      );
    return { dims: allowed.dims, elementBytes, data };
  }
}

function bytesOf(tensor: OrtTensor | undefined): Uint8Array | undefined {
  return tensor && new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** Of a QPC with a single shape, its inputs' and outputs' own. */
function shapesOf({ shapes, inputs, outputs }: Network): readonly Readonly<Record<string, AllowedShape>>[] {
  if (shapes.length > 0) return shapes;
  return [Object.fromEntries([...inputs, ...outputs].map(({ name, dtype, dims }) => [name, { dtype, dims }]))];
}

function isSame(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a !== undefined && a.length === b.length && a.every((dim, at) => dim === b[at]);
}

/** The graph's logits are float32, whatever the device computes in; some compiles keep halves. */
function floats(bytes: Uint8Array, dtype: string): Float32Array {
  const copy = Uint8Array.from(bytes);
  if (dtype === "float32") return new Float32Array(copy.buffer);
  if (dtype === "float16") return Float32Array.from(new Float16Array(copy.buffer));
  throw invalid(`its logits are ${dtype}`);
}

/** Tokens are int64 in the graph; compilers that know no such numbers make int32 of them. */
function ids(bytes: Uint8Array, dtype: string): Int32Array {
  const copy = Uint8Array.from(bytes);
  if (dtype === "int64") return Int32Array.from(new BigInt64Array(copy.buffer), Number);
  if (dtype === "int32") return new Int32Array(copy.buffer);
  throw invalid(`its tokens are ${dtype}`);
}

function invalid(message: string): NativeError {
  return new NativeError("model-invalid", message);
}
