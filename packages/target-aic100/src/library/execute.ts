import { type Artefact, type Row, type Session, SessionError, TargetError } from "@llm/target";
import { openArtefact } from "@llm/target/engine";
import { aic100Target } from "../aic100-target.ts";
import { defaultOptions } from "../options.ts";
import type { Encoder } from "./export-for-aic100.ts";
import { automationBlock, type Figures, performanceBlock, printedFigures } from "./performance.ts";

/** Text to token ids and back, and what ends a text; `@llm/tokenizer-bpe`'s fits as it is. */
export interface Codec extends Encoder {
  decode(ids: ArrayLike<number>): string;
  readonly eosTokenId?: number | undefined;
  /** Where more than that one end a text. */
  readonly endIds?: readonly number[];
}

export interface Execute {
  /** A compiled artefact, or the emulator's; or its folder. */
  readonly artefact: Artefact | string;
  readonly tokenizer: Codec;
  readonly prompts: readonly string[];
  /** Most tokens that are taken of a prompt; all unless said. */
  readonly inputLen?: number;
  /** Most tokens that are generated; as many as fit unless said. */
  readonly generationLen?: number;
  /** Those that it was compiled for unless said, else the first. */
  readonly deviceId?: readonly number[];
  readonly enableDebugLogs?: boolean;
  /** Text as it comes, of the only prompt. */
  readonly stream?: boolean;
  /** Where the first calls' tensors are written. */
  readonly writeIoDir?: string;
  /** Figures in the wording that scripts look for, and no end before `generationLen`. */
  readonly automation?: boolean;
  /** Where text and lines go: stdout unless said. */
  readonly print?: (text: string) => void;
}

export interface Executed {
  readonly texts: readonly string[];
  readonly tokens: readonly (readonly number[])[];
  readonly performance: Figures;
}

/** Generates greedily with something compiled. As many prompts go together as it was compiled for; the figures are of all. */
export async function execute(request: Execute): Promise<Executed> {
  const { tokenizer, prompts, deviceId = [], enableDebugLogs = false, stream = true, automation = false } = request;
  const { inputLen, writeIoDir = "", print = (text) => void process.stdout.write(text) } = request;
  if (prompts.length === 0) throw new TargetError("option-invalid", "execute needs at least one prompt");
  const artefact = typeof request.artefact === "string" ? await openArtefact(request.artefact) : request.artefact;
  const session = await aic100Target.open(artefact, { ...defaultOptions(), device: deviceId, writeIoDir });
  try {
    const ids = prompts.map((prompt) => Int32Array.from(tokenizer.encode(prompt)).slice(0, inputLen));
    const empty = ids.findIndex(({ length }) => length === 0);
    if (empty >= 0)
      throw new TargetError("option-invalid", `prompt ${empty + 1} has no tokens: there is nothing to go on from`);
    if (enableDebugLogs) print(`${JSON.stringify(session.limits)}\n`);
    const tokens: (readonly number[])[] = [];
    let spent = { prefillSeconds: 0, decodeSeconds: 0, decodedTokens: 0 };
    const size = session.limits.slots;
    for (let from = 0; from < ids.length; from += size) {
      const batch = ids.slice(from, from + size);
      const shown = stream && prompts.length === 1 ? growing(tokenizer, print) : () => {};
      const result = await generate(session, batch, request, shown);
      tokens.push(...result.made);
      spent = {
        prefillSeconds: spent.prefillSeconds + result.prefillSeconds,
        decodeSeconds: spent.decodeSeconds + result.decodeSeconds,
        decodedTokens: spent.decodedTokens + result.decodedTokens,
      };
      for (let slot = 0; slot < batch.length; slot++) await session.trim(slot, 0);
    }
    const texts = tokens.map((list) => tokenizer.decode(list));
    const measured = { batchSize: Math.min(size, prompts.length), ...spent };
    const figures = printedFigures(measured);
    print(`\n${automation ? automationBlock(prompts, texts, figures) : performanceBlock(figures)}\n`);
    return { texts, tokens, performance: measured };
  } finally {
    await session.close();
  }
}

interface Generated {
  readonly made: readonly (readonly number[])[];
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  /** Of each row, after its first. */
  readonly decodedTokens: number;
}

/** Told the first row's tokens so far; with `isWhole` all that there will be. */
type Shown = (ids: readonly number[], isWhole: boolean) => void;

/** Prints what the text has grown by. */
function growing(tokenizer: Codec, print: (text: string) => void): Shown {
  let said = 0;
  return (ids, isWhole) => {
    const text = tokenizer.decode(ids);
    // The rest of a letter may come with the next token.
    if (text.length <= said || (!isWhole && text.endsWith("\ufffd"))) return;
    print(text.slice(said));
    said = text.length;
  };
}

async function generate(
  session: Session,
  prompts: readonly Int32Array[],
  { generationLen, automation = false, tokenizer }: Execute,
  shown: Shown,
): Promise<Generated> {
  const { context } = session.limits;
  const longest = Math.max(...prompts.map(({ length }) => length));
  const count = Math.min(generationLen ?? context - longest + 1, context - longest + 1);
  if (count < 1) throw new SessionError("context", `a prompt of ${longest} tokens doesn't fit into ${context}`);
  const made: number[][] = prompts.map(() => []);
  const began = performance.now();
  await prefill(session, prompts, made);
  const first = performance.now();
  const known = tokenizer.endIds ?? (tokenizer.eosTokenId === undefined ? [] : [tokenizer.eosTokenId]);
  const ends = automation ? [] : known;
  shown(untilEnd(made[0]!, ends), false);
  const over = (list: readonly number[]) => ends.includes(list.at(-1)!);
  let step = 1;
  for (; step < count && !made.every(over); step++) {
    const rows = prompts.map((ids, slot): Row => row(slot, ids.length + step - 1, [made[slot]!.at(-1)!], true));
    const results = await session.step(rows);
    results.forEach(({ tokens }, slot) => {
      if (!over(made[slot]!)) made[slot]!.push(tokens![0]!);
      else made[slot]!.push(made[slot]!.at(-1)!);
    });
    shown(untilEnd(made[0]!, ends), false);
  }
  const done = performance.now();
  const ended = made.map((list) => untilEnd(list, ends));
  shown(ended[0]!, true);
  return {
    made: ended,
    prefillSeconds: (first - began) / 1000,
    decodeSeconds: (done - first) / 1000,
    decodedTokens: step - 1,
  };
}

/** Prompts in pieces of what the card takes, all rows' first pieces together. */
async function prefill(session: Session, prompts: readonly Int32Array[], made: readonly number[][]): Promise<void> {
  const { chunk } = session.limits;
  const longest = Math.max(...prompts.map(({ length }) => length));
  for (let at = 0; at < longest; at += chunk) {
    const now = prompts.flatMap((ids, slot) => (at < ids.length ? [{ ids, slot }] : []));
    const rows = now.map(({ ids, slot }) =>
      row(slot, at, ids.slice(at, at + chunk), at + chunk >= ids.length, ids.length),
    );
    const results = await session.step(rows);
    now.forEach(({ slot }, i) => {
      const token = results[i]!.tokens?.[0];
      if (token !== undefined) made[slot]!.push(token);
    });
  }
}

function row(slot: number, at: number, tokens: ArrayLike<number>, wanted: boolean, reach?: number): Row {
  return {
    slot,
    at,
    tokens: Int32Array.from(tokens),
    ...(reach === undefined ? {} : { reach }),
    ...(wanted ? { want: { kind: "token", sampling: { method: "greedy" }, last: 1 } as const } : {}),
  };
}

function untilEnd(ids: readonly number[], ends: readonly number[]): readonly number[] {
  const at = ids.findIndex((id) => ends.includes(id));
  return at < 0 ? ids : ids.slice(0, at);
}
