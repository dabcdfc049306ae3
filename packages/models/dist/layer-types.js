export const everywhere = () => undefined;
/** One window for all layers, where the config has one. */
export function commonWindow(config, key = "sliding_window") {
    if (!config.has(key))
        return everywhere;
    const window = config.size(key);
    return () => window;
}
/**
 * Windows by layer: as `layer_types` says, and in configs from before it by `legacy`, which says of a layer whether it
 * slides.
 */
export function windowsByLayer(config, layers, legacy, key = "sliding_window") {
    const slides = slidingLayers(config, layers, legacy);
    if (!slides.includes(true))
        return everywhere;
    const window = config.size(key);
    return (layer) => (slides[layer] ? window : undefined);
}
/** Which layers slide. */
export function slidingLayers(config, layers, legacy) {
    if (!config.has("layer_types"))
        return Array.from({ length: layers }, (_, layer) => legacy(layer));
    return config
        .strings("layer_types", ["full_attention", "sliding_attention"], layers)
        .map((type) => type === "sliding_attention");
}
/** Qwen's rule from before `layer_types`: layers from `max_window_layers` on slide, where sliding is used at all. */
export function qwenWindows(config, layers) {
    const used = config.bool("use_sliding_window", false) && config.has("sliding_window");
    const from = config.int("max_window_layers", 28);
    const windows = windowsByLayer(config, layers, (layer) => used && layer >= from);
    return used ? windows : everywhere;
}
//# sourceMappingURL=layer-types.js.map