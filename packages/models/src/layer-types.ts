import type { Config } from "./config.ts";

/** How far back each layer sees: undefined is all the way. */
export type Windows = (layer: number) => number | undefined;

export const everywhere: Windows = () => undefined;

/** One window for all layers, where the config has one; `or` is the published class's own. */
export function commonWindow(config: Config, or?: number): Windows {
  const key = "sliding_window";
  const window = or === undefined ? (config.has(key) ? config.size(key) : undefined) : config.sizeOrNone(key, or);
  return window === undefined ? everywhere : () => window;
}

/**
 * Windows by layer: as `layer_types` says, and in configs from before it by `legacy`, which says of a layer whether it
 * slides. `or` is the published class's own window.
 */
export function windowsByLayer(
  config: Config,
  layers: number,
  legacy: (layer: number) => boolean,
  or?: number,
): Windows {
  const key = "sliding_window";
  const slides = slidingLayers(config, layers, legacy);
  if (!slides.includes(true)) {
    config.moot(key);
    return everywhere;
  }
  const window = or === undefined ? config.size(key) : config.sizeOrNone(key, or);
  return (layer) => (slides[layer] ? window : undefined);
}

/** Which layers slide. */
export function slidingLayers(config: Config, layers: number, legacy: (layer: number) => boolean): readonly boolean[] {
  if (!config.has("layer_types")) return Array.from({ length: layers }, (_, layer) => legacy(layer));
  return config
    .strings("layer_types", ["full_attention", "sliding_attention"], layers)
    .map((type) => type === "sliding_attention");
}

/** Qwen's rule from before `layer_types`: layers from `max_window_layers` on slide, where sliding is used at all. */
export function qwenWindows(config: Config, layers: number): Windows {
  const used = config.bool("use_sliding_window", false) && config.has("sliding_window");
  const from = config.int("max_window_layers", 28);
  const windows = windowsByLayer(config, layers, (layer) => used && layer >= from);
  return used ? windows : everywhere;
}
