import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { NativeError } from "@llm/runtime-native";
import { openOrt } from "@llm/runtime-native/ort";
import { type Artefact, type Session, TargetError } from "@llm/target";
import { EMULATOR_FILE, MODEL_FILE } from "../build/units.ts";
import { compCtxLengths } from "../compile/comp-ctx-lengths.ts";
import { settle } from "../graph/settle.ts";
import type { Aic100Options } from "../options.ts";
import { IndexSession } from "../session/index-session.ts";
import { PositionsSession } from "../session/positions-session.ts";
import { recordingCard } from "../session/recording-card.ts";
import { EmulatedCard } from "./emulated-card.ts";
import { checkTwin } from "./override-indices.ts";
import { roundCacheTo } from "./round-cache.ts";

export interface EmulatorChecks {
  /** What caches hold before anything is written: NaN shows what reads it. */
  readonly fill?: number;
}

/** Opens the emulator of an artefact that was exported for it. */
export async function openEmulator(
  { folder, manifest }: Artefact,
  given: Aic100Options,
  { fill }: EmulatorChecks = {},
): Promise<Session> {
  const options = { ...given, ...(manifest.options as unknown as Partial<Aic100Options>) };
  const { generation, shapes, ctxLen, cache, compContext } = settle(options);
  const emulated = await openCard(folder, options.threads, {
    slots: shapes.slots,
    ctxLen,
    fill,
    round: cache && roundCacheTo(cache),
  });
  const card = options.writeIoDir === "" ? emulated : recordingCard(emulated, options.writeIoDir);
  const { width } = manifest.model;
  if (generation === "index")
    return new IndexSession(card, { slots: shapes.slots, prefill: shapes.prefill, ctxLen, width });
  const none = { prefill: [], decode: [] };
  return new PositionsSession(card, {
    shapes,
    ctxLen,
    width,
    rings: card.hasRings,
    compContexts: compContext ? lengthsOf(options) : none,
  });
}

function lengthsOf({ compCtxLengths: lengths, promptLen, ctxLen }: Aic100Options) {
  return compCtxLengths({ prefill: lengths, decode: lengths }, { promptLen, ctxLen });
}

async function openCard(
  folder: string,
  threads: number,
  options: ConstructorParameters<typeof EmulatedCard>[1],
): Promise<EmulatedCard> {
  const file = join(folder, EMULATOR_FILE);
  const [model, twin] = await Promise.all(
    [MODEL_FILE, EMULATOR_FILE].map((name) =>
      readFile(join(folder, name)).catch((cause: unknown) => {
        throw new TargetError("artefact-damaged", `${join(folder, name)} can't be read; export with --emulate again`, {
          cause,
        });
      }),
    ),
  );
  checkTwin(model!, twin!, file);
  try {
    const cores = availableParallelism();
    return new EmulatedCard(
      await openOrt(file, { threads: threads === 0 ? cores : Math.min(threads, cores) }),
      options,
    );
  } catch (cause) {
    if (!NativeError.isInstance(cause)) throw cause;
    const missing = cause.code === "runtime-missing" || cause.code === "runtime-version";
    throw new TargetError(missing ? "tool-missing" : "artefact-damaged", cause.message, { cause });
  }
}
