import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder, checkSpec, programOf } from "@llm/core-ir";
import { writeOnnx } from "@llm/exporter";
import { goldenRoot } from "@llm/fixtures";
import { type OrtTensor, openOrt, ortTensor } from "@llm/runtime-native/ort";
import { drawToken } from "@llm/target";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { cardModel } from "../build/build-model.ts";
import { NO_WEIGHTS } from "../compile/testing/tiny-onnx.ts";
import { EmulatedCard } from "../emulator/emulated-card.ts";
import { aic } from "../onnx/dialect.ts";
import { BATCH, SEQ, size } from "./form.ts";
import { sampleTokens } from "./sample-tokens.ts";
import { PRESENCE_BUFFER, REPETITION_BUFFER } from "./sampler-ports.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-aic100-sampler-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface SamplerOptions {
  readonly vocab: number;
  readonly candidates: number;
  readonly slots: number;
  readonly batchIndex?: boolean;
}

/** The sampler without a model before it: logits are an input, `scores`. */
async function openSampler({ vocab, candidates, slots, batchIndex = false }: SamplerOptions): Promise<EmulatedCard> {
  const b = new Builder("sampler");
  const batch = size(b, BATCH);
  for (const name of ["input_ids", "position_ids"]) b.input(name, "i64", [batch, size(b, SEQ)]);
  if (batchIndex) b.input("batch_index", "i64", [batch, 1]);
  b.output(b.as("logits").reshape(b.input("scores", "f32", [batch, 1, vocab]), [batch, 1, vocab]));
  const dialects = [aic];
  const { nets } = sampleTokens.run(programOf(b.finish()), { candidates, guided: true }, { dialects });
  checkSpec(nets[0]!.graph, dialects);
  const name = `sampler-${vocab}-${candidates}-${slots}-${batchIndex}`;
  await writeOnnx(cardModel(nets[0]!.graph, { opset: 17, subFunctions: false }), { folder, name, source: NO_WEIGHTS });
  return new EmulatedCard(await openOrt(join(folder, `${name}.onnx`), { threads: 1 }), { slots, ctxLen: 1 });
}

/** One row of a call. */
interface Lane {
  readonly tokens: readonly number[];
  readonly at: number;
  readonly scores: readonly number[];
  readonly random?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetition?: number;
  readonly presence?: number;
  readonly allowed?: readonly boolean[];
}

async function choose(card: EmulatedCard, candidates: number, lanes: readonly Lane[], slots?: readonly number[]) {
  const [rows, width] = [lanes.length, Math.max(...lanes.map(({ tokens }) => tokens.length))];
  const wide = (shape: readonly number[], numbers: readonly number[]) =>
    ortTensor("i64", shape, BigInt64Array.from(numbers, BigInt));
  const floats = (value: (lane: Lane) => number) => ortTensor("f32", [rows, 1], Float32Array.from(lanes, value));
  const padded = (value: (lane: Lane, column: number) => number, rest: number) =>
    wide(
      [rows, width],
      lanes.flatMap((lane) =>
        Array.from({ length: width }, (_, i) => (i < lane.tokens.length ? value(lane, i) : rest)),
      ),
    );
  const random = new Float32Array(rows * candidates);
  lanes.forEach((lane, row) => {
    random[row * candidates] = lane.random ?? 0;
  });
  const { vocab } = card;
  const inputs: Record<string, OrtTensor> = {
    input_ids: padded(({ tokens }, i) => tokens[i]!, 0),
    position_ids: padded(({ at }, i) => at + i, -1),
    last_accepted_output_tokens: padded(({ tokens }, i) => tokens[i]!, 0),
    scores: ortTensor("f32", [rows, 1, vocab], Float32Array.from(lanes.flatMap(({ scores }) => scores))),
    repetition_penalties: floats(({ repetition = 1 }) => repetition),
    presence_penalties: floats(({ presence = 0 }) => presence),
    temperatures: floats(({ temperature = 0 }) => temperature),
    top_ks: ortTensor(
      "i32",
      [rows, 1],
      Int32Array.from(lanes, ({ topK = candidates }) => topK),
    ),
    top_ps: floats(({ topP = 1 }) => topP),
    min_ps: floats(({ minP = 0 }) => minP),
    random_numbers: ortTensor("f32", [rows, candidates], random),
    token_bitmasks: ortTensor(
      "bool",
      [rows, vocab],
      Uint8Array.from(
        lanes.flatMap(({ allowed }) => Array.from({ length: vocab }, (_, id) => Number(allowed?.[id] ?? true))),
      ),
    ),
    ...(slots ? { batch_index: wide([rows, 1], slots) } : {}),
  };
  return card.call(inputs);
}

interface GoldenSampling {
  readonly logits: readonly (readonly (number | null)[])[];
  readonly contexts: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly params: Readonly<Record<string, number>>;
    readonly logits: number;
    readonly context: number;
    readonly probs: readonly number[];
  }[];
}

/** What the card's sampler has of the published options; it calls the length of an answer and the like nothing. */
const COVERED = new Set(["temperature", "top_k", "top_p", "min_p", "repetition_penalty"]);
/** A vector with ties: which of them a nucleus keeps depends on the reference's sort. */
const TIED = 4;

describe("golden cases", () => {
  const golden = JSON.parse(readFileSync(join(goldenRoot, "sampling.json"), "utf8")) as GoldenSampling;
  const cases = golden.cases.filter(
    ({ params, logits }) =>
      Object.keys(params).every((name) => COVERED.has(name)) && !("top_p" in params && logits === TIED),
  );

  test("each random number draws what the published probabilities say", async () => {
    expect(cases.length).toBeGreaterThan(150);
    const draws = 64;
    const card = await openSampler({ vocab: 50, candidates: 50, slots: draws });
    for (const { params, logits, context, probs } of cases) {
      const randoms = Array.from({ length: draws }, (_, i) => (i + 0.5) / draws);
      const lane: Lane = {
        tokens: golden.contexts[context]!,
        at: 0,
        scores: golden.logits[logits]!.map((score) => score ?? Number.NEGATIVE_INFINITY),
        temperature: params.temperature ?? 1,
        topK: params.top_k ?? 50,
        topP: params.top_p ?? 1,
        minP: params.min_p ?? 0,
        repetition: params.repetition_penalty ?? 1,
      };
      const tokens = await choose(
        card,
        50,
        randoms.map((random) => ({ ...lane, random })),
      );
      tokens.forEach((token, i) => {
        const before = probs.slice(0, token).reduce((sum, p) => sum + p, 0);
        const what = `${JSON.stringify(params)} of ${logits} after ${context}: ${token} drawn by ${randoms[i]}`;
        expect(probs[token], what).toBeGreaterThan(0);
        expect(randoms[i]!, what).toBeGreaterThanOrEqual(before - 1e-5);
        expect(randoms[i]!, what).toBeLessThanOrEqual(before + probs[token]! + 1e-5);
      });
    }
    await card.close();
  });
});

describe("chosen tokens", () => {
  const vocab = 24;
  const unit = fc.integer({ min: 0, max: 199 }).map((n) => n / 200 + 0.00137); // never on the edge of a share
  const lane = fc.record({
    tokens: fc.array(fc.nat(vocab - 1), { minLength: 2, maxLength: 4 }),
    at: fc.constant(0),
    // Eighths apart, so that nothing is decided by rounding.
    scores: fc
      .uniqueArray(fc.integer({ min: -60, max: 60 }), { minLength: vocab, maxLength: vocab })
      .map((scores) => scores.map((score) => score / 8)),
    random: unit,
    temperature: fc.constantFrom(0, 0.25, 1, 3),
    topK: fc.integer({ min: 1, max: 12 }),
    topP: fc.constantFrom(0.3137, 0.8871, 1),
    minP: fc.constantFrom(0, 0.0713),
    repetition: fc.constantFrom(1, 1.31, 0.77),
    allowed: fc.array(fc.boolean(), { minLength: vocab, maxLength: vocab }).filter((flags) => flags.includes(true)),
  });

  test("are those of plain arithmetic, whatever the options", async () => {
    const card = await openSampler({ vocab, candidates: 12, slots: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(lane, { minLength: 3, maxLength: 3 }), async (lanes) => {
        const tokens = await choose(card, 12, lanes);
        expect([...tokens]).toEqual(lanes.map(expectedToken));
      }),
      { numRuns: 200 },
    );
    await card.close();
  });

  test("are allowed ones, however high the temperature", async () => {
    const card = await openSampler({ vocab, candidates: 12, slots: 2 });
    const scores = Array.from({ length: vocab }, (_, id) => id / 8);
    const lanes = [0, 0.9999].map((random): Lane => {
      const allowed = scores.map((_, id) => id === 5 || id === 9);
      return { tokens: [1, 2], at: 0, scores, random, temperature: 1e6, topK: 12, allowed };
    });
    expect([...(await choose(card, 12, lanes))]).toEqual([5, 9]);
    await card.close();
  });

  function expectedToken({
    tokens,
    scores,
    random,
    temperature,
    repetition,
    allowed,
    ...cuts
  }: Required<Omit<Lane, "presence">>) {
    const adjusted = scores.map((score, id) => {
      if (!allowed[id]) return Number.NEGATIVE_INFINITY;
      if (!tokens.includes(id)) return score;
      return score < 0 ? score * repetition : score / repetition;
    });
    const best = adjusted.indexOf(Math.max(...adjusted));
    if (temperature === 0) return best;
    const weights = Float32Array.from(adjusted, (score) => Math.exp((score - adjusted[best]!) / temperature));
    return drawToken(weights, { method: "sample", ...cuts }, random);
  }
});

describe("what was said", () => {
  const vocab = 10;
  const scores = Array.from({ length: vocab }, (_, id) => id / 8);
  const said = (card: EmulatedCard, name: string, slot: number) => {
    const flags = card.retained(name)!.data.slice(slot * vocab, (slot + 1) * vocab);
    return [...(flags as Uint8Array).keys()].filter((id) => flags[id] !== 0);
  };

  test("is kept by slot: prompts are repeated, answers are present too, another prompt forgets both", async () => {
    const card = await openSampler({ vocab, candidates: 4, slots: 2, batchIndex: true });
    const prompt = (slot: number, at: number, tokens: number[]) => choose(card, 4, [{ tokens, at, scores }], [slot]);
    await prompt(1, 0, [3, 5]);
    await prompt(1, 2, [7]); // one token is not a prompt's call: it counts as an answer
    await prompt(0, 0, [1, 2]);
    expect([said(card, REPETITION_BUFFER, 1), said(card, PRESENCE_BUFFER, 1)]).toEqual([[3, 5, 7], [7]]);
    expect([said(card, REPETITION_BUFFER, 0), said(card, PRESENCE_BUFFER, 0)]).toEqual([[1, 2], []]);

    const penalties = { scores, presence: 4 };
    const both = [
      { tokens: [9], at: 2, ...penalties },
      { tokens: [9], at: 3, ...penalties },
    ];
    expect([...(await choose(card, 4, both, [0, 1]))]).toEqual([8, 8]); // 9 was the best, and is present
    expect(said(card, PRESENCE_BUFFER, 1)).toEqual([7, 9]);
    await prompt(1, 0, [4, 6]);
    expect([said(card, REPETITION_BUFFER, 1), said(card, PRESENCE_BUFFER, 1)]).toEqual([[4, 6], []]);
    expect(said(card, PRESENCE_BUFFER, 0)).toEqual([9]); // another slot's
    await card.close();
  });

  test("is not what isn't there: padding, and numbers of no token", async () => {
    const card = await openSampler({ vocab, candidates: 4, slots: 2 });
    await choose(card, 4, [
      { tokens: [3, 5, 6], at: 0, scores },
      { tokens: [2], at: 0, scores },
    ]);
    expect([0, 1].map((slot) => said(card, REPETITION_BUFFER, slot))).toEqual([[3, 5, 6], [2]]);
    await choose(card, 4, [
      { tokens: [2147483647], at: 3, scores },
      { tokens: [-1], at: 1, scores },
    ]);
    expect([0, 1].map((slot) => said(card, REPETITION_BUFFER, slot))).toEqual([[3, 5, 6], [2]]);
    await card.close();
  });
});
