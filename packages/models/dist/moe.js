/** A mixture of gated experts. */
export function experts(options) {
    return (d, x, prefix, layer) => {
        const scores = d.linear(x, `${prefix}.${options.router}`, options.width, options.count);
        const bias = options.routerBias === undefined
            ? null
            : d.b.weight(d.tensor(`${prefix}.${options.routerBias}`, [options.count]));
        const { gate, up, down } = options.weights(d, prefix);
        const made = d.b.experts(x, d.b.route(scores, options.route, bias), { gate: d.b.weight(gate), up: d.b.weight(up), down: d.b.weight(down) }, options.fn);
        return options.shared ? d.b.add(made, options.shared(d, x, prefix, layer)) : made;
    };
}
/** One tensor an expert and projection: `experts.N.<name>.weight`. */
export function separateExperts({ width, inner, count }, names = { gate: "gate_proj", up: "up_proj", down: "down_proj" }) {
    return (d, prefix) => {
        const stack = (name, shape) => ({
            op: "stack",
            of: Array.from({ length: count }, (_, expert) => d.tensor(`${prefix}.experts.${expert}.${name}.weight`, shape)),
        });
        return {
            gate: stack(names.gate, [inner, width]),
            up: stack(names.up, [inner, width]),
            down: stack(names.down, [width, inner]),
        };
    };
}
/** A shared expert behind its own sigmoid gate (Qwen2-MoE). */
export function gatedSharedExpert(mlp, names, width) {
    return (d, x, prefix, layer) => {
        const weight = d.b.activation(d.linear(x, `${prefix}.${names.gate}`, width, 1), "sigmoid");
        return d.b.mul(mlp(d, x, `${prefix}.${names.expert}`, layer), weight);
    };
}
/** Which layers have experts: every `decoder_sparse_step`th, but not those that are listed as MLP only. */
export function sparseLayers(config) {
    const step = config.size("decoder_sparse_step", 1);
    const dense = config.has("mlp_only_layers") ? config.numbers("mlp_only_layers") : [];
    return (layer) => !dense.includes(layer) && (layer + 1) % step === 0;
}
//# sourceMappingURL=moe.js.map