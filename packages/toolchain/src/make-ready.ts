import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Artefact, Target } from "@llm/target";
import type { BuildEvent } from "@llm/target/engine";
import { makeFolder } from "@llm/tensor/files";
import { type Built, build, buildExports, type Prepared, prepare } from "./build.ts";
import { ToolchainError } from "./error.ts";
import { type Model, type OpenModelOptions, openModel, unreadNote } from "./open-model.ts";
import { verifiedCache } from "./places.ts";
import { type ResolveOptions, resolveModel } from "./resolve-model.ts";
import { tokenizerOf } from "./tokenizer.ts";
import { type VerifyReport, verify } from "./verify.ts";

/** The stages, in order; "load" is one only where it takes long. */
export type StageName = "fetch" | "export" | "verify" | "compile" | "load" | "run";

export interface StageReport {
  readonly name: StageName;
  /** What it would make was there already, or there is nothing to make. */
  readonly skipped: boolean;
  readonly seconds: number;
  /** Why it was skipped, or what came of it. */
  readonly note?: string;
}

/** What happens on the way, for displays and logs. */
export type StageEvent =
  | { readonly kind: "begin"; readonly stage: StageName; readonly note?: string }
  | { readonly kind: "bytes"; readonly done: number; readonly total: number; readonly note?: string }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "build"; readonly event: BuildEvent }
  | ({ readonly kind: "end" } & StageReport);

export interface ReadyOptions
  extends Omit<ResolveOptions, "onProgress" | "want">,
    Pick<OpenModelOptions, "config" | "lora"> {
  readonly targetOptions?: Readonly<Record<string, unknown>>;
  /** Do every stage again. */
  readonly force?: boolean;
  /** Whether a few tokens are checked against the reference once for each export; they are unless said. */
  readonly verify?: boolean;
  /** The prompt the model will be given: its first tokens are what the short verification runs. */
  readonly sample?: string;
  /** Refuse a checkpoint without a tokenizer before anything is exported: what is to make text needs one. */
  readonly needsTokenizer?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  onEvent?(event: StageEvent): void;
}

/** A model that is ready to run on a target. */
export interface Ready {
  readonly model: Model;
  readonly prepared: Prepared;
  readonly artefact: Artefact;
  readonly stages: readonly StageReport[];
}

/** How many tokens go through the short verification, at most. */
const SAMPLE_TOKENS = 8;

/**
 * Fetch, export, verify, compile: each stage is skipped when what it would make is there and was made of the same things. The
 * verification here takes few tokens through three blocks; `verify` is the whole of it. It makes an export of its own, and goes
 * on beside the stage before it: its seconds are those that it is waited for. The caller closes the model.
 */
export async function makeReady(model: string | undefined, target: Target, options: ReadyOptions = {}): Promise<Ready> {
  const stages = new Stages(options.onEvent);
  const location = await stages.run("fetch", model, async () => {
    const found = await resolveModel(model, {
      ...options,
      onProgress: (done, total, note) => options.onEvent?.({ kind: "bytes", done, total, note }),
    });
    return { result: found, skipped: found.downloaded === 0, note: FETCHED[found.from] };
  });
  if (location.pulled?.note !== undefined) options.onEvent?.({ kind: "note", text: location.pulled.note });
  const opened = await openModel(location.path, {
    name: location.name,
    ...(options.config ? { config: options.config } : {}),
    ...(options.lora === undefined ? {} : { lora: options.lora }),
  });
  const unread = unreadNote(opened);
  if (unread !== undefined) options.onEvent?.({ kind: "note", text: unread });
  const failed = new AbortController();
  let checking: Promise<Done<VerifyReport | undefined>> | undefined;
  try {
    if (options.needsTokenizer) await tokenizerOf(opened.checkpoint);
    const prepared = await prepare(opened, target, options.targetOptions);
    for (const text of prepared.notes) options.onEvent?.({ kind: "note", text });
    if (options.verify ?? true) {
      const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
      checking = shortVerification(opened, prepared, { ...options, signal });
      checking.catch(() => {}); // heard where it is waited for
    }
    const compiles = prepared.units.some(({ stage }) => stage === "compile");
    const made = await stages.run("export", opened.name, async () => {
      const built = await (compiles ? buildExports : build)(prepared, buildOptions(options));
      return { result: built, skipped: built.upToDate, ...(built.upToDate ? {} : { note: size(built) }) };
    });
    if (checking) await stages.run("verify", opened.name, () => checking!);
    const { artefact } = await stages.run("compile", opened.name, async () => {
      if (!compiles) return { result: made, skipped: true, note: `nothing to compile for ${target.id}` };
      const built = await build(prepared, buildOptions(options));
      return { result: built, skipped: built.upToDate };
    });
    return { model: opened, prepared, artefact, stages: stages.reports };
  } catch (error) {
    failed.abort(error);
    await checking?.catch(() => {}); // it reads the model until it has ended
    await opened.close();
    throw error;
  }
}

const FETCHED = { bundled: "bundled", disk: "on this machine", hub: "downloaded" } as const;

function buildOptions({ force, env, signal, onEvent }: ReadyOptions) {
  return {
    ...(force === undefined ? {} : { force }),
    ...(env === undefined ? {} : { env }),
    ...(signal === undefined ? {} : { signal }),
    onEvent: (event: BuildEvent) => onEvent?.({ kind: "build", event }),
  };
}

function size({ artefact }: Built): string {
  const written = artefact.manifest.files.filter((file) => !("link" in file));
  return `${(written.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1)} MB written`;
}

/** A few tokens through the first, a middle and the last block: seconds at most, and once for each export. */
async function shortVerification(
  model: Model,
  prepared: Prepared,
  options: ReadyOptions,
): Promise<Done<VerifyReport | undefined>> {
  const { target, key } = prepared;
  if (!target.runner) return { result: undefined, skipped: true, note: `${target.id} can't be looked into` };
  const file = join(verifiedCache(options.env), `${createHash("sha256").update(`short@2 ${key}`).digest("hex")}.json`);
  if (!options.force && (await isFile(file))) return { result: undefined, skipped: true };
  const last = model.card.blocks - 1;
  const blocks = [...new Set([0, Math.floor(last / 2), last])];
  const ids = (await sampleIds(model, options.sample)).subarray(0, SAMPLE_TOKENS);
  const report = await verify(model, target, {
    blocks,
    excerpt: true,
    ...(ids.length > 0 ? { ids } : { tokens: SAMPLE_TOKENS }),
    targetOptions: prepared.options as Readonly<Record<string, unknown>>, // nothing is left to be chosen
    ...(options.env ? { env: options.env } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (!report.ok)
    throw new ToolchainError(
      "verify-failed",
      `${model.name}: the export differs from the reference (${figure(report)}); \`llm verify\` shows where`,
    );
  await remember(file, report);
  return {
    result: report,
    skipped: false,
    note: `${report.tokens} tokens through blocks ${blocks.join(", ")}: ${figure(report)}`,
  };
}

function figure({ logits }: VerifyReport): string {
  return `logits at most ${logits.maxAbs.toExponential(1)} off`;
}

async function sampleIds(model: Model, sample: string | undefined): Promise<Int32Array> {
  if (sample === undefined) return new Int32Array();
  const tokenizer = await tokenizerOf(model.checkpoint).catch(() => undefined); // verified with other tokens, then
  return tokenizer?.encode(sample) ?? new Int32Array();
}

async function remember(file: string, report: VerifyReport): Promise<void> {
  await makeFolder(dirname(file));
  await writeFile(`${file}.${process.pid}`, JSON.stringify(report));
  await rename(`${file}.${process.pid}`, file);
}

async function isFile(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}

interface Done<T> {
  readonly result: T;
  readonly skipped: boolean;
  readonly note?: string;
}

/** Times stages and tells of them. */
class Stages {
  readonly reports: StageReport[] = [];
  readonly #onEvent: ((event: StageEvent) => void) | undefined;

  constructor(onEvent: ((event: StageEvent) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  async run<T>(stage: StageName, note: string | undefined, work: () => Promise<Done<T>>): Promise<T> {
    const began = performance.now();
    this.#onEvent?.({ kind: "begin", stage, ...(note === undefined ? {} : { note }) });
    const { result, skipped, note: outcome } = await work();
    const report = {
      name: stage,
      skipped,
      seconds: (performance.now() - began) / 1000,
      ...(outcome === undefined ? {} : { note: outcome }),
    };
    this.reports.push(report);
    this.#onEvent?.({ kind: "end", ...report });
    return result;
  }
}
