import { mkdtemp, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { type Finding, type Session, type Target, TargetError } from "@llm/target";
import { type CheckResult, conformance, runConformance } from "@llm/target/conformance";
import { build, prepare } from "./build.ts";
import { hostOf } from "./doctor.ts";
import { packageVersion } from "./onnx-metadata.ts";
import type { Model } from "./open-model.ts";
import { scratchFolder } from "./places.ts";
import { openReference } from "./reference.ts";
import { type Precision, thresholdsFor } from "./thresholds.ts";

export interface ConformOptions {
  /** The target's own options: which device, which format. */
  readonly targetOptions?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Told of every check as it ends. */
  onResult?(result: CheckResult): void;
}

/** What a target got right on this machine, to send back to those who can't have such a device. */
export interface ConformanceReport {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly target: string;
  readonly options: unknown;
  readonly machine: { readonly platform: string; readonly arch: string; readonly processor: string };
  /** Versions of the programs that made it. */
  readonly tools: Readonly<Record<string, string>>;
  /** What was found on the machine: the vendor's compiler and runtime among it, and their versions. */
  readonly found: readonly Finding[];
  readonly model: string;
  readonly checks: readonly CheckResult[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly created: string;
}

/** How many checks there are. */
export const CHECKS: number = conformance.length;

/** Slots and positions that the checks get along with: their schedules are short. */
const SMALL = { batchSize: 3, ctxLen: 64 } as const;

/** Runs the checks that every target has to pass, with this model, on this machine. */
export async function conform(model: Model, target: Target, options: ConformOptions = {}): Promise<ConformanceReport> {
  const { env, signal } = options;
  const small = Object.fromEntries(Object.entries(SMALL).filter(([name]) => Object.hasOwn(target.options, name)));
  const prepared = await prepare(model, target, { ...small, ...options.targetOptions });
  const { artefact } = await build(prepared, { ...(env ? { env } : {}), ...(signal ? { signal } : {}) });
  const open = () => target.open(artefact, prepared.options);
  await mustBeThere(target.unfinished?.(artefact), open);
  const folder = await mkdtemp(join(await scratchFolder(env), "conformance-"));
  const { ctxLen = SMALL.ctxLen, ...precision } = prepared.options as Precision & { readonly ctxLen?: number };
  const { relative, cosine } = thresholdsFor(precision);
  const { vocab } = artefact.manifest.model;
  const reference = target.answers ? undefined : await openReference(model, { context: ctxLen });
  try {
    const checks = await runConformance(
      {
        open,
        oracle: async (history) => {
          if (!reference) return target.answers!(history, vocab);
          const [result] = await reference.step([{ slot: 0, at: 0, tokens: history, last: 1 }]);
          return result!.logits;
        },
        relative,
        cosine,
        ...(signal && { signal }),
        build: { ...prepared, graph: model.graph, source: model.weights, model: model.card, folder },
      },
      options.onResult,
    );
    const count = (state: CheckResult["state"]) => checks.filter((check) => check.state === state).length;
    return {
      schemaVersion: 1,
      version: packageVersion(),
      target: target.id,
      options: prepared.options,
      machine: { platform: process.platform, arch: process.arch, processor: cpus()[0]?.model.trim() ?? "unknown" },
      tools: artefact.manifest.tools,
      found: await target.doctor(hostOf(env)),
      model: model.name,
      checks,
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
      created: new Date().toISOString(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A compiler or a runtime that isn't installed says nothing about the device: it is no failure, but what is missing. */
async function mustBeThere(unfinished: string | undefined, open: () => Promise<Session>): Promise<void> {
  if (unfinished !== undefined) throw new TargetError("tool-missing", unfinished);
  let session: Session;
  try {
    session = await open();
  } catch (error) {
    if (TargetError.isInstance(error) && error.code === "tool-missing") throw error;
    return; // checks open it again, and say what is wrong
  }
  await session.close();
}
