import { everywhere } from "./layer-types.js";
const NAMES = { q: "q_proj", k: "k_proj", v: "v_proj", out: "o_proj" };
/** Self-attention with separate or fused projections, as its options say. */
export function selfAttention(options) {
    const { shape, pairs = "half", bias = false, outBias = bias, windows = everywhere, clip, flatNorm, headNorm, } = options;
    const { width, heads, groups, dim } = shape;
    const names = options.names ?? NAMES;
    const ropeOf = typeof options.rope === "function" ? options.rope : () => options.rope;
    const project = (d, x, prefix) => {
        const sizes = [heads * dim, groups * dim, groups * dim];
        if (options.fused !== undefined) {
            const all = sizes.reduce((sum, size) => sum + size);
            return d.b.split(d.linear(x, `${prefix}.${options.fused}`, width, all, { bias }), sizes);
        }
        return [names.q, names.k, names.v].map((name, i) => d.linear(x, `${prefix}.${name}`, width, sizes[i], { bias }));
    };
    return (d, x, prefix, layer) => {
        const rope = ropeOf(layer);
        const clipped = project(d, x, prefix).map((part) => clip === undefined ? part : d.b.clip(part, { min: -clip, max: clip }));
        const turned = (part, which, count) => {
            const flat = flatNorm ? flatNorm(d, part, prefix, which) : part;
            const split = d.heads(flat, count, dim);
            const normed = headNorm ? headNorm(d, split, prefix, which) : split;
            return rope ? d.rotary(normed, rope, pairs) : normed;
        };
        const attended = d.attention(turned(clipped[0], "q", heads), turned(clipped[1], "k", groups), d.heads(clipped[2], groups, dim), {
            scale: options.scale ?? 1 / Math.sqrt(dim),
            window: windows(layer),
            softcap: options.softcap,
            alibi: options.alibi,
        });
        return d.linear(attended, `${prefix}.${names.out}`, heads * dim, width, { bias: outBias });
    };
}
/** An RMS norm of each head of q and k, by `q_norm` and `k_norm`. */
export function rmsHeads(dim, eps, options = {}) {
    return (d, x, prefix, which) => d.rmsNorm(x, `${prefix}.${which}_norm`, dim, eps, options);
}
//# sourceMappingURL=attention.js.map