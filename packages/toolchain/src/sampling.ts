import type { SamplingOptions } from "@llm/generate";
import type { GenerationDefaults } from "./generation-defaults.ts";

/** Options that only make sense when something is drawn. */
const DRAWING = ["topK", "topP", "minP", "typicalP"] as const;

/**
 * How tokens are chosen: what was asked for, then what the checkpoint's generation_config says, else the likeliest. Asking for an
 * option of drawing asks for drawing.
 */
export function samplingOptions(asked: SamplingOptions, defaults: GenerationDefaults): SamplingOptions {
  const { sample, maxNewTokens: _, eosTokenIds: __, ...said } = defaults;
  const wantsDraw = asked.temperature !== undefined || DRAWING.some((name) => asked[name] !== undefined);
  const greedy = asked.greedy ?? !(wantsDraw || sample);
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const merged: SamplingOptions = { ...said, ...given };
  if (greedy) {
    const { temperature: _t, topK: _k, topP: _p, minP: _m, typicalP: _y, ...rest } = merged;
    return { ...rest, greedy: true };
  }
  return { ...merged, temperature: merged.temperature ?? 1 };
}
