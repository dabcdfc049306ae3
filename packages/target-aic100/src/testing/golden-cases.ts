import { goldenArrays, readGolden } from "@llm/fixtures";
import { bestOf } from "@llm/runtime-native/ort";
import type { Row, Session } from "@llm/target";
import { openEmulator } from "../emulator/open-emulator.ts";
import type { Aic100Options } from "../options.ts";
import { buildGolden, EMULATED } from "./build-golden.ts";

/** Places that prompt and greedy text of every golden model take, padding included. */
const CONTEXT = 48;

/** A way to drive the card, in which every architecture has to say what its reference does. */
interface Drive {
  readonly options: Partial<Aic100Options>;
  readonly run: (session: Session, prompts: readonly Prompt[]) => Promise<number>;
}

interface Prompt {
  readonly ids: readonly number[];
  readonly greedy: readonly number[];
  readonly logits: Float32Array; // (tokens, vocab)
}

/** A prompt that a slot is given, or the first tokens of one. */
interface Part {
  readonly slot: number;
  readonly prompt: Prompt;
  readonly length: number;
}

const DRIVES = {
  "batch 1": { options: { promptLen: 16 }, run: oneByOne },
  "batch 3": { options: { promptLen: 16, batchSize: 3 }, run: together },
  "chunked prefill": { options: { promptLen: 4 }, run: oneByOne },
  "continuous batching": { options: { promptLen: 4, fullBatchSize: 3 }, run: oneAfterAnother },
  "4-way head replication": { options: { promptLen: 4, replicateKvHeads: 4 }, run: oneByOne },
  "blocks as functions": { options: { promptLen: 4, fullBatchSize: 3, subFunctions: true }, run: oneAfterAnother },
  "four programs that share layers": { options: { promptLen: 4, fullBatchSize: 3, mesh: "1x4" }, run: oneAfterAnother },
  "cache_index, batch 1": { options: { sdk: "recipe", promptLen: 16 }, run: oneByOne },
  "cache_index, batch 3": { options: { sdk: "recipe", promptLen: 16, batchSize: 3 }, run: together },
  "cache_index, two programs": { options: { sdk: "recipe", promptLen: 4, batchSize: 3, mesh: "1x2" }, run: together },
  "cache_index, chunked prefill": { options: { sdk: "2024-05", promptLen: 4, batchSize: 3 }, run: together },
} as const satisfies Record<string, Drive>;

export type DriveName = keyof typeof DRIVES;
export const DRIVE_NAMES: readonly DriveName[] = Object.keys(DRIVES) as DriveName[];

/**
 * Drives a golden model on the emulator, in float32, over caches of NaN; gives how far its logits were from the reference's at
 * most. Throws when greedy text is another.
 */
export async function drive(golden: string, name: DriveName): Promise<number> {
  const { options, run } = DRIVES[name];
  using built = await buildGolden(golden, { ...options, ctxLen: CONTEXT });
  const session = await openEmulator(built.artefact, EMULATED, { fill: Number.NaN });
  try {
    return await run(session, promptsOf(golden));
  } finally {
    await session.close();
  }
}

function promptsOf(golden: string): readonly Prompt[] {
  const arrays = goldenArrays(golden);
  return readGolden(golden).prompts.map(({ input_ids: ids, greedy }, i) => ({
    ids,
    greedy,
    logits: arrays.get(`p${i}.logits`)!,
  }));
}

/** Every prompt in the same slot, each after the other is forgotten. */
async function oneByOne(session: Session, prompts: readonly Prompt[]): Promise<number> {
  let worst = 0;
  for (const prompt of prompts) {
    worst = Math.max(worst, await runParts(session, [{ slot: 0, prompt, length: prompt.ids.length }]));
    await session.trim(0, 0);
  }
  return worst;
}

/** Prompts of different lengths at once, and the beginning of one that goes on when others generate. */
async function together(session: Session, [first, second]: readonly Prompt[]): Promise<number> {
  return runParts(session, [
    { slot: 0, prompt: first!, length: first!.ids.length },
    { slot: 1, prompt: second!, length: second!.ids.length },
    { slot: 2, prompt: second!, length: 3 },
  ]);
}

/** Prompts that come while others generate, in slots that others had before. */
async function oneAfterAnother(session: Session, [first, second]: readonly Prompt[]): Promise<number> {
  const whole = (slot: number, prompt: Prompt): Part => ({ slot, prompt, length: prompt.ids.length });
  let worst = await runParts(session, [whole(2, second!)]);
  worst = Math.max(worst, await runParts(session, [whole(0, first!), whole(1, second!)], { late: 5 }));
  await session.trim(2, 0);
  return Math.max(worst, await runParts(session, [whole(2, first!)]));
}

/** One sequence on its way: what it holds, and what comes next. */
class Sequence {
  readonly part: Part;
  readonly made: number[] = [];
  at = 0;

  constructor(part: Part) {
    this.part = part;
  }

  done(context: number): boolean {
    return this.made.length >= this.part.prompt.greedy.length || this.at >= context;
  }

  /** The row of its next step: of its prompt what fits, then token by token. */
  next({ limits }: Session): Row {
    const { slot, prompt, length } = this.part;
    const given =
      this.at < length ? prompt.ids.slice(this.at, Math.min(length, this.at + limits.chunk)) : [this.token()];
    const reach = this.at < prompt.ids.length ? prompt.ids.length : this.at + 1;
    return { slot, at: this.at, tokens: Int32Array.from(given), reach, want: { kind: "logits", last: 1 } };
  }

  private token(): number {
    const { ids } = this.part.prompt;
    return this.at < ids.length ? ids[this.at]! : this.made[this.at - ids.length]!;
  }

  /** Takes the logits of its last token; gives how far they are from the reference's, where that says any. */
  take(row: Row, logits: Float32Array): number {
    const { ids, logits: all } = this.part.prompt;
    this.at = row.at + row.tokens.length;
    const last = this.at - 1;
    if (last >= ids.length - 1) this.made.push(bestOf(logits, logits.length, 1, {}).ids[0]!);
    if (last >= ids.length) return 0;
    return distance(logits, all.subarray(last * logits.length, (last + 1) * logits.length));
  }
}

/** Runs parts to the end of their text; the second and later ones join `late` steps after the first. */
async function runParts(session: Session, parts: readonly Part[], { late = 0 } = {}): Promise<number> {
  const sequences = parts.map((part) => new Sequence(part));
  let worst = 0;
  for (let turn = 0; ; turn++) {
    const now = sequences.filter((one, i) => (i === 0 || turn >= late) && !one.done(session.limits.context));
    if (now.length === 0) break;
    const rows = now.map((one) => one.next(session));
    const results = await session.step(rows);
    now.forEach((one, i) => {
      worst = Math.max(worst, one.take(rows[i]!, results[i]!.logits!));
    });
    // Where all step together, none goes on alone.
    if (session.limits.lockstep && sequences.some((one) => one.done(session.limits.context))) break;
  }
  for (const { made, part } of sequences) {
    const expected = part.prompt.greedy.slice(0, made.length);
    if (made.length < 8 || made.join() !== expected.join())
      throw new Error(`greedy text is ${made}, the reference's is ${expected}`);
  }
  return worst;
}

/** The largest difference; NaN is infinitely far. */
function distance(got: Float32Array, want: Float32Array): number {
  return got.reduce(
    (most, x, i) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.max(most, Math.abs(x - want[i]!))),
    0,
  );
}
