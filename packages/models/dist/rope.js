const TYPES = ["default", "linear", "dynamic", "llama3", "yarn", "longrope", "su"];
/**
 * The rotary embedding that a config asks for, in both generations of keys: `rope_parameters`, or `rope_theta` with
 * `rope_scaling`. The formulas are those of the published implementations.
 */
export function readRope(config, options) {
    const { theta, scaling, partial } = parameters(config, options);
    const dims = Math.floor(options.headDim * partial);
    const plain = inverseFrequencies(theta, dims);
    const type = scaling?.choice(["rope_type", "type"], TYPES, "default") ?? "default";
    if (scaling === undefined || type === "default")
        return fixed(dims, plain);
    const limit = () => config.size(["max_position_embeddings", "n_positions"]);
    switch (type) {
        case "linear": {
            const factor = scaling.float("factor");
            return fixed(dims, plain.map((frequency) => frequency / factor));
        }
        case "dynamic":
            return { dims, freqs: plain, beyond: { above: limit(), ntk: { base: theta, factor: scaling.float("factor") } } };
        case "llama3":
            return fixed(dims, llama3(plain, scaling, originalLength(config, scaling, limit)));
        case "yarn":
            return yarn(theta, dims, scaling, limit(), originalLength(config, scaling, limit));
        case "longrope":
        case "su":
            return longrope(plain, dims, scaling, limit(), originalLength(config, scaling, limit));
    }
}
function parameters(config, options) {
    const modern = config.child("rope_parameters");
    const nested = options.layerType === undefined ? undefined : modern?.child(options.layerType);
    const own = nested ?? modern;
    const defaultTheta = options.defaultTheta ?? 10_000;
    const partialDefault = options.partialFactor ?? 1;
    const partialKeys = ["partial_rotary_factor", "rotary_pct", "rope_pct"];
    if (own !== undefined)
        return {
            theta: own.float("rope_theta", defaultTheta),
            scaling: own,
            partial: own.has(partialKeys) ? own.float(partialKeys) : config.float(partialKeys, partialDefault),
        };
    const theta = options.legacyTheta !== undefined && config.has(options.legacyTheta)
        ? options.legacyTheta
        : ["rope_theta", "rotary_emb_base"];
    return {
        theta: config.float(theta, defaultTheta),
        scaling: options.legacyTheta === undefined ? config.child("rope_scaling") : undefined,
        partial: config.float(partialKeys, partialDefault),
    };
}
function fixed(dims, freqs, factor = 1) {
    return factor === 1 ? { dims, freqs } : { dims, freqs, factor };
}
/** theta^(−2i / dims) for each pair i. */
export function inverseFrequencies(theta, dims) {
    return Array.from({ length: dims / 2 }, (_, i) => 1 / theta ** ((2 * i) / dims));
}
/** Long wavelengths are stretched by `factor`, short ones kept, those between blended. */
function llama3(plain, scaling, original) {
    const factor = scaling.float("factor");
    const low = scaling.float("low_freq_factor");
    const high = scaling.float("high_freq_factor");
    return plain.map((frequency) => {
        const turns = (original * frequency) / (2 * Math.PI); // within the original context
        if (turns < low)
            return frequency / factor;
        if (turns > high)
            return frequency;
        const smooth = (turns - low) / (high - low);
        return ((1 - smooth) * frequency) / factor + smooth * frequency;
    });
}
/** YaRN's correction of the attention's temperature. */
export function yarnScale(factor, mscale = 1) {
    return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}
function yarn(theta, dims, scaling, limit, original) {
    const factor = scaling.float("factor", limit / original);
    const fast = scaling.float("beta_fast", 32);
    const slow = scaling.float("beta_slow", 1);
    const truncate = scaling.bool("truncate", true);
    const mscale = scaling.float("mscale", 0);
    const mscaleAll = scaling.float("mscale_all_dim", 0);
    const derived = mscale && mscaleAll ? yarnScale(factor, mscale) / yarnScale(factor, mscaleAll) : yarnScale(factor);
    const pairOf = (turns) => (dims * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
    const from = Math.max(truncate ? Math.floor(pairOf(fast)) : pairOf(fast), 0);
    const until = Math.min(truncate ? Math.ceil(pairOf(slow)) : pairOf(slow), dims - 1);
    const width = until === from ? 0.001 : until - from;
    const inverse = inverseFrequencies(theta, dims).map((frequency, i) => {
        const stretched = Math.min(Math.max((i - from) / width, 0), 1);
        return (frequency / factor) * stretched + frequency * (1 - stretched);
    });
    return fixed(dims, inverse, scaling.float("attention_factor", derived));
}
function longrope(plain, dims, scaling, limit, original) {
    const factor = scaling.float("factor", limit / original);
    const derived = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    const stretch = (key) => scaling.numbers(key, dims / 2).map((by, i) => plain[i] / by);
    return {
        dims,
        freqs: stretch("short_factor"),
        factor: scaling.float("attention_factor", derived),
        beyond: { above: original, freqs: stretch("long_factor") },
    };
}
/** The context before it was stretched: beside the scaling's own fields, it may stand in the config itself, which then holds. */
function originalLength(config, scaling, limit) {
    const key = "original_max_position_embeddings";
    if (config.has(key))
        return config.size(key);
    return scaling.has(key) ? scaling.size(key) : limit();
}
//# sourceMappingURL=rope.js.map