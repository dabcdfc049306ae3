const GATED = { gate: "gate_proj", up: "up_proj", down: "down_proj" };
/** down(fn(gate(x)) · up(x)) */
export function gatedMlp({ width, inner, fn, bias = false }, names = GATED) {
    return (d, x, prefix) => {
        const gate = d.linear(x, `${prefix}.${names.gate}`, width, inner, { bias });
        const up = d.linear(x, `${prefix}.${names.up}`, width, inner, { bias });
        return d.linear(d.b.glu(gate, up, fn), `${prefix}.${names.down}`, inner, width, { bias });
    };
}
/** The same with gate and up in one linear, the gate's rows first. */
export function fusedGatedMlp({ width, inner, fn, bias = false }, names = { both: "gate_up_proj", down: "down_proj" }) {
    return (d, x, prefix) => {
        const [gate, up] = d.b.split(d.linear(x, `${prefix}.${names.both}`, width, 2 * inner, { bias }), [inner, inner]);
        return d.linear(d.b.glu(gate, up, fn), `${prefix}.${names.down}`, inner, width, { bias });
    };
}
/** down(fn(up(x))) */
export function plainMlp({ width, inner, fn, ...layout }, names) {
    return (d, x, prefix) => {
        const up = d.linear(x, `${prefix}.${names.up}`, width, inner, layout);
        return d.linear(d.b.activation(up, fn), `${prefix}.${names.down}`, inner, width, layout);
    };
}
//# sourceMappingURL=mlp.js.map