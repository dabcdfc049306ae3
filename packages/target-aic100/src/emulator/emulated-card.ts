import { type OrtPort, type OrtSession, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { BATCH, CONTEXT, FULL_BATCH, INTERNAL_RETAINED, RETAINED } from "../graph/form.ts";
import { NEXT_TOKENS, REPETITION_BUFFER } from "../graph/sampler-ports.ts";
import type { Card } from "../session/card.ts";
import type { RoundCache } from "./round-cache.ts";

export interface EmulatedCardOptions {
  readonly slots: number;
  readonly ctxLen: number;
  /** Brings what a call wrote to the precision that the card keeps it in; absent: the graph's own. */
  readonly round?: RoundCache | undefined;
  /** What caches hold before anything is written: tests say NaN, so that reading it shows. */
  readonly fill?: number | undefined;
}

/** One retained tensor: what calls read, and where the next writes it. */
interface Retained {
  readonly name: string;
  readonly output: string;
  current: OrtTensor;
  next: OrtTensor;
}

/** One card, or several that share layers. */
export type Emulated = Pick<EmulatedCard, keyof EmulatedCard>;

/** A card by ONNX Runtime: the exported graph, its retained tensors kept from call to call. */
export class EmulatedCard implements Card {
  /** 0 of a part that has no head. */
  readonly vocab: number;
  readonly inputs: readonly string[];
  readonly output: Card["output"];
  /** Whether a cache is shorter than the context. */
  readonly hasRings: boolean;
  readonly #model: OrtSession;
  readonly #retained: readonly Retained[];
  readonly #round: RoundCache | undefined;
  readonly #results: readonly string[];

  constructor(model: OrtSession, { slots, ctxLen, round, fill = 0 }: EmulatedCardOptions) {
    this.#model = model;
    this.#round = round;
    const outputs = new Set(model.outputs.map(({ name }) => name));
    this.output = outputs.has("logits") ? "logits" : NEXT_TOKENS;
    const ofVocabulary = [...model.outputs, ...model.inputs].find(({ name }) => OF_VOCABULARY.has(name));
    this.vocab = Number(ofVocabulary?.shape.at(-1) ?? 0);
    const outputOf = ({ name }: OrtPort) => [name + RETAINED, name + INTERNAL_RETAINED].find((one) => outputs.has(one));
    const isRetained = (port: OrtPort) => outputOf(port) !== undefined;
    this.inputs = model.inputs.filter((port) => !isRetained(port)).map(({ name }) => name);
    const kept = new Set(model.inputs.map(outputOf));
    this.#results = [...outputs].filter((name) => !kept.has(name));
    const sizes: Readonly<Record<string, number>> = { [BATCH]: slots, [FULL_BATCH]: slots, [CONTEXT]: ctxLen };
    this.#retained = model.inputs.filter(isRetained).map((port) => {
      const { name, dtype } = port;
      const shape = port.shape.map((dim) => (typeof dim === "number" ? dim : sizes[dim]!));
      const make = () => {
        const tensor = ortTensor(dtype, shape);
        if (isCache(tensor) && fill !== 0) tensor.data.fill((dtype === "f16" ? HALF_NAN : fill) as never);
        return tensor;
      };
      return { name, output: outputOf(port)!, current: make(), next: make() };
    });
    this.hasRings = model.inputs.some((port) => isRetained(port) && typeof port.shape.at(-2) === "number");
  }

  give(name: string, data: Uint8Array): void {
    (this.retained(name)!.data as Uint8Array).set(data);
  }

  /** What a retained tensor holds now. */
  retained(name: string): OrtTensor | undefined {
    return this.#retained.find((one) => one.name === name)?.current;
  }

  async call(inputs: Readonly<Record<string, OrtTensor>>): Promise<Float32Array | Int32Array> {
    const { data } = (await this.run(inputs))[this.output]!;
    return this.output === "logits" ? (data as Float32Array) : Int32Array.from(data as BigInt64Array, Number);
  }

  /**
   * All that the graph gives but what is retained: logits or tokens, and blocks' results where they are exposed. `call` is what the
   * whole model is given where this is a part of it.
   */
  async run(
    inputs: Readonly<Record<string, OrtTensor>>,
    call: Readonly<Record<string, OrtTensor>> = inputs,
  ): Promise<Readonly<Record<string, OrtTensor>>> {
    const held = Object.fromEntries(this.#retained.map(({ name, current }) => [name, current]));
    const wanted = Object.fromEntries(this.#retained.map(({ output, next }) => [output, next]));
    const given = Object.fromEntries(this.#results.map((name) => [name, null]));
    const results = await this.#model.run({ ...inputs, ...held }, { ...given, ...wanted });
    for (const one of this.#retained) {
      [one.current, one.next] = [one.next, one.current];
      if (isCache(one.current)) this.#round?.(one.current, call);
    }
    return Object.fromEntries(this.#results.map((name) => [name, results[name]!]));
  }

  close(): Promise<void> {
    return this.#model.close();
  }
}

/** Ports whose last axis is the vocabulary: every model has one of them, if it is whole. */
const OF_VOCABULARY: ReadonlySet<string> = new Set(["logits", REPETITION_BUFFER]);

/** What is kept besides caches is flags. */
function isCache({ dtype }: OrtTensor): boolean {
  return dtype !== "bool";
}

/** Not a number, as fp16. */
const HALF_NAN = 0x7e00;
