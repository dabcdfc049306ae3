import { NativeError } from "@llm/runtime-native";
import type { OrtTensor } from "@llm/runtime-native/ort";
import type { QaicBuffer, QaicHost, QaicMapping } from "@llm/runtime-native/qaic";
import type { AllowedShape, Network } from "../inspect/network.ts";
import type { MaskedCard } from "../session/index-session.ts";

/** Caches, which the device keeps from call to call: given to it never, taken from it never. */
const RETAINED = /^past_(?:key|value)\.\d+(?:_(?:Internal)?RetainedState)?$|_(?:Internal)?RetainedState$/;
const MASK = "attention_mask";

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
export class QpcCard implements MaskedCard {
  readonly vocab: number;
  readonly inputs: readonly string[];
  readonly #host: QaicHost;
  /** One for each shape that was compiled. */
  readonly #shapes: readonly Readonly<Record<string, AllowedShape>>[];
  readonly #masked: boolean;
  #mask: Uint8Array | undefined;

  constructor(host: QaicHost, network: Network) {
    this.#host = host;
    this.#shapes = shapesOf(network);
    const names = new Set([...network.inputs, ...network.outputs].map(({ name }) => name));
    const unknown = host.mappings.find(({ name }) => !names.has(name));
    if (unknown)
      throw invalid(`the runtime's ${unknown.name} is not in the QPC's description: the file is of another compile`);
    const given = network.inputs.map(({ name }) => name).filter((name) => !RETAINED.test(name));
    this.#masked = given.includes(MASK);
    this.inputs = given.filter((name) => name !== MASK);
    const logits = network.outputs.find(({ name }) => name === "logits");
    if (!logits) throw invalid("this QPC returns no logits");
    this.vocab = logits.dims.at(-1)!;
  }

  /** Which columns of each row hold tokens, for the next call; after it the device keeps that itself. */
  setMask(mask: Uint8Array): void {
    this.#mask = mask;
  }

  async call(inputs: Readonly<Record<string, OrtTensor>>): Promise<Float32Array> {
    const shape = this.#shapeFor(inputs);
    const buffers = this.#host.mappings.map((mapping) => this.#bufferOf(mapping, shape, inputs));
    this.#mask = undefined;
    const [logits] = await this.#host.call(buffers);
    if (!logits) throw new NativeError("device-failed", "the device returned no logits");
    return floats(logits, shape.logits!);
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
    if (RETAINED.test(name) || !allowed) return "kept";
    const elementBytes = ELEMENT_BYTES[allowed.dtype] ?? 1;
    if (!isInput) return { dims: allowed.dims, elementBytes, data: "wanted" };
    if (name === MASK && this.#masked) {
      if (!this.#mask) return "kept";
      return { dims: allowed.dims, elementBytes, data: this.#mask };
    }
    const given = inputs[name];
    if (!given) throw new NativeError("input-invalid", `${name} is missing`);
    const { data } = given;
    const size = elementBytes * allowed.dims.reduce((a, b) => a * b, 1);
    if (data.byteLength !== size)
      throw new NativeError(
        "input-invalid",
        `${name} has ${data.byteLength} bytes, the QPC takes ${size} (${allowed.dtype})`,
      );
    return { dims: allowed.dims, elementBytes, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  }
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
function floats(bytes: Uint8Array, { dtype }: AllowedShape): Float32Array {
  const copy = Uint8Array.from(bytes);
  if (dtype === "float32") return new Float32Array(copy.buffer);
  if (dtype === "float16") return Float32Array.from(new Float16Array(copy.buffer));
  throw invalid(`its logits are ${dtype}`);
}

function invalid(message: string): NativeError {
  return new NativeError("model-invalid", message);
}
