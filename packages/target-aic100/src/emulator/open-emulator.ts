import type { Artefact, Session } from "@llm/target";
import { compCtxLengths } from "../compile/comp-ctx-lengths.ts";
import { settle } from "../graph/settle.ts";
import type { Aic100Options } from "../options.ts";
import { IndexSession } from "../session/index-session.ts";
import { PositionsSession } from "../session/positions-session.ts";
import { recordingCard } from "../session/recording-card.ts";
import { openCard } from "./open-card.ts";
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
