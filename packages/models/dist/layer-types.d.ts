import type { Config } from "./config.ts";
/** How far back each layer sees: undefined is all the way. */
export type Windows = (layer: number) => number | undefined;
export declare const everywhere: Windows;
/** One window for all layers, where the config has one. */
export declare function commonWindow(config: Config, key?: string): Windows;
/**
 * Windows by layer: as `layer_types` says, and in configs from before it by `legacy`, which says of a layer whether it
 * slides.
 */
export declare function windowsByLayer(config: Config, layers: number, legacy: (layer: number) => boolean, key?: string): Windows;
/** Which layers slide. */
export declare function slidingLayers(config: Config, layers: number, legacy: (layer: number) => boolean): readonly boolean[];
/** Qwen's rule from before `layer_types`: layers from `max_window_layers` on slide, where sliding is used at all. */
export declare function qwenWindows(config: Config, layers: number): Windows;
//# sourceMappingURL=layer-types.d.ts.map