import type { Artefact, Session } from "@llm/target";
import { settle } from "../graph/settle.ts";
import { madeWith } from "../made-with.ts";
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
  artefact: Artefact,
  given: Aic100Options,
  { fill }: EmulatorChecks = {},
): Promise<Session> {
  const { folder, manifest } = artefact;
  const options = { ...given, ...madeWith(artefact) };
  const { generation, shapes, ctxLen, cache, compContexts, sampler } = settle(options);
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
  return new PositionsSession(card, {
    shapes,
    ctxLen,
    width,
    rings: card.hasRings,
    compContexts: compContexts ?? { prefill: [], decode: [] },
    candidates: sampler && Math.min(sampler.candidates, card.vocab),
  });
}
