import { combine, type Move } from "@llm/core-ir";
import type { OrtTensor } from "@llm/runtime-native/ort";
import { f16ToF32, type Tensor, toF16 } from "@llm/tensor";
import type { SharedProgram } from "../build/units.ts";
import type { Emulated, EmulatedCard } from "./emulated-card.ts";

/**
 * Cards with programs that share layers, as one card: each program's results go where they are wanted, added up or put together
 * by the host.
 */
export class EmulatedMesh implements Emulated {
  readonly vocab: number;
  readonly inputs: readonly string[];
  readonly output = "logits";
  readonly hasRings: boolean;
  /** All that were opened. */
  readonly #opened: readonly EmulatedCard[];
  /** Those that are called, in the order in which they run. */
  readonly #cards: ReadonlyMap<string, EmulatedCard>;
  /** By program and input: what makes it. */
  readonly #sources: ReadonlyMap<string, readonly Move[]>;

  /** `cards` by the program's names. */
  constructor({ nets, moves }: SharedProgram, cards: ReadonlyMap<string, EmulatedCard>) {
    this.#sources = Map.groupBy(moves, ({ to }) => portOf(to.net, to.input));
    this.#cards = new Map(wanted(nets, moves, cards).map((net) => [net, cards.get(net)!]));
    const outside = nets.flatMap((net) =>
      cards.get(net)!.inputs.filter((input) => !this.#sources.has(portOf(net, input))),
    );
    this.inputs = [...new Set(outside)];
    this.#opened = [...cards.values()];
    this.vocab = this.#opened.find(({ vocab }) => vocab > 0)!.vocab;
    this.hasRings = this.#opened.some(({ hasRings }) => hasRings);
  }

  give(name: string, data: Uint8Array): void {
    for (const card of this.#cards.values()) if (card.retained(name)) card.give(name, data);
  }

  retained(name: string): OrtTensor | undefined {
    for (const card of this.#cards.values()) if (card.retained(name)) return card.retained(name);
    return undefined;
  }

  async call(inputs: Readonly<Record<string, OrtTensor>>): Promise<Float32Array> {
    return (await this.run(inputs)).logits!.data as Float32Array;
  }

  /** What all programs give, the first that has a name. */
  async run(inputs: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>> {
    const made = new Map<string, OrtTensor>();
    const all: Record<string, OrtTensor> = {};
    for (const [net, card] of this.#cards) {
      const given = card.inputs.map((input) => {
        const moves = this.#sources.get(portOf(net, input));
        return [input, moves ? arriving(moves, made) : inputs[input]!] as const;
      });
      const results = await card.run(Object.fromEntries(given), inputs);
      for (const [output, tensor] of Object.entries(results)) {
        made.set(portOf(net, output), tensor);
        all[output] ??= tensor;
      }
    }
    return all;
  }

  async close(): Promise<void> {
    for (const card of this.#opened) await card.close();
  }
}

function portOf(net: string, port: string): string {
  return `${net} ${port}`;
}

/** Programs that others take from, and the first that gives logits: all ranks have those. */
function wanted(
  nets: readonly string[],
  moves: readonly Move[],
  cards: ReadonlyMap<string, EmulatedCard>,
): readonly string[] {
  const heads = nets.filter((net) => cards.get(net)!.vocab > 0);
  const taken = new Set([heads[0]!, ...moves.map(({ from }) => from.net)]);
  return nets.filter((net) => taken.has(net));
}

/** What moves to one input make of what was made; sums in float32, and rounded once where halves are told. */
function arriving(moves: readonly Move[], made: ReadonlyMap<string, OrtTensor>): OrtTensor {
  const parts = moves.map(({ from }) => made.get(portOf(from.net, from.output))!);
  const [{ combine: how, axis, span }] = moves as [Move];
  const [{ dtype }] = parts as [OrtTensor];
  if (how === undefined) return parts[0]!;
  const wide = parts.map((part): Tensor => {
    const data = dtype === "f16" ? f16ToF32(part.data as Uint16Array) : (part.data as Float32Array);
    return { dtype: "f32", shape: part.shape, data };
  });
  const { shape, data } =
    how === "concat"
      ? combine(wide, { combine: how, axis: axis! })
      : combine(wide, { combine: how, ...(axis === undefined ? {} : { axis }), ...(span ? { span } : {}) });
  return { dtype, shape, data: dtype === "f16" ? toF16(data as Float32Array) : (data as Float32Array) };
}
