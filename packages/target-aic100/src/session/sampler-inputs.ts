import { type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import type { DeviceSampling, Row, Want } from "@llm/target";
import type { FixedCall } from "@llm/target/shapes";
import { NOWHERE } from "../graph/positions-generation.ts";
import {
  ACCEPTED,
  MIN_PS,
  PRESENCE_PENALTIES,
  RANDOM_NUMBERS,
  REPETITION_PENALTIES,
  TEMPERATURES,
  TOKEN_BITMASKS,
  TOP_KS,
  TOP_PS,
} from "../graph/sampler-ports.ts";

/** What a model that samples was made for. */
export interface SamplerShape {
  readonly vocab: number;
  /** How many of the best tokens it chooses among. */
  readonly candidates: number;
}

type Make = Readonly<Record<string, () => OrtTensor>>;

/** The sampler's inputs for a call, by name: lanes that want no token choose one that nobody reads. */
export function samplerInputs(
  call: Pick<FixedCall, "lanes" | "width" | "outputs">,
  rows: readonly Row[],
  { vocab, candidates }: SamplerShape,
): Make {
  const { lanes, width } = call;
  const wants = Array.from({ length: lanes }, (_, lane) => wantIn(call, rows, lane));
  const floats = (value: (sampling: DeviceSampling) => number) => (): OrtTensor =>
    ortTensor(
      "f32",
      [lanes, 1],
      Float32Array.from(wants, (want) => value(want?.sampling ?? GREEDY)),
    );
  return {
    // What was said is given whole where it matters, so no call adds to it.
    [ACCEPTED]: () => ortTensor("i64", [lanes, width], new BigInt64Array(lanes * width).fill(BigInt(NOWHERE))),
    [REPETITION_PENALTIES]: floats(({ repetitionPenalty = 1 }) => repetitionPenalty),
    [PRESENCE_PENALTIES]: floats(({ presencePenalty = 0 }) => presencePenalty),
    [TEMPERATURES]: floats(({ method, temperature = 1 }) => (method === "greedy" ? 0 : temperature)),
    [TOP_KS]: () =>
      ortTensor(
        "i32",
        [lanes, 1],
        Int32Array.from(wants, (want) => want?.sampling.topK || candidates),
      ),
    [TOP_PS]: floats(({ topP = 1 }) => topP),
    [MIN_PS]: floats(({ minP = 0 }) => minP),
    [RANDOM_NUMBERS]() {
      const numbers = new Float32Array(lanes * candidates).fill(0.5);
      wants.forEach((want, lane) => {
        const random = want?.sampling.random?.[want.index];
        if (random !== undefined) spread(random, numbers.subarray(lane * candidates, (lane + 1) * candidates));
      });
      return ortTensor("f32", [lanes, candidates], numbers);
    },
    [TOKEN_BITMASKS]() {
      const allowed = new Uint8Array(lanes * vocab).fill(1);
      wants.forEach((want, lane) => {
        if (want?.allow) unpack(want.allow, allowed.subarray(lane * vocab, (lane + 1) * vocab));
      });
      return ortTensor("bool", [lanes, vocab], allowed);
    },
  };
}

const GREEDY: DeviceSampling = { method: "greedy" };

type TokenWant = Extract<Want, { readonly kind: "token" }> & {
  /** Which of the row's wanted tokens it is. */
  readonly index: number;
};

function wantIn({ outputs }: Pick<FixedCall, "outputs">, rows: readonly Row[], lane: number): TokenWant | undefined {
  const output = outputs.find((one) => one.lane === lane);
  const want = output && rows[output.row]!.want;
  return want?.kind === "token" ? { ...want, index: output!.index } : undefined;
}

/**
 * A row's random number, and others that follow from it (murmur3's last steps over a counter): our graphs draw by the first
 * alone, the library's make noise for each candidate of all.
 */
function spread(random: number, into: Float32Array): void {
  let state = (random * 2 ** 32) >>> 0;
  into[0] = random;
  for (let i = 1; i < into.length; i++) {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    into[i] = (((mixed ^ (mixed >>> 16)) >>> 8) + 0.5) / 2 ** 24; // neither 0 nor 1, whose logarithms aren't noise
  }
}

function unpack(bits: Uint32Array, flags: Uint8Array): void {
  for (let id = 0; id < flags.length; id++) flags[id] = (bits[id >>> 5]! >>> (id & 31)) & 1;
}
