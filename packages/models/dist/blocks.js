import { Decoder } from "./decoder.js";
const NAMES = { before: "input_layernorm", between: "post_attention_layernorm", attention: "self_attn", mlp: "mlp" };
/** x + attention(norm(x)), then the same with the MLP. */
export function preNorm({ norm, attention, mlp, names = NAMES, residual = 1 }) {
    return (d, x, layer, index) => {
        const attended = attention(d, norm(d, x, `${layer}.${names.before}`), `${layer}.${names.attention}`, index);
        const middle = d.b.add(x, d.b.scale(attended, residual));
        const made = mlp(d, norm(d, middle, `${layer}.${names.between}`), `${layer}.${names.mlp}`, index);
        return d.b.add(middle, d.b.scale(made, residual));
    };
}
/** x + attention(norm(x)) + mlp(norm(x)), one norm for both. */
export function parallel({ norm, attention, mlp, names = NAMES }) {
    return (d, x, layer, index) => {
        const normed = norm(d, x, `${layer}.${names.before}`);
        const attended = attention(d, normed, `${layer}.${names.attention}`, index);
        return d.b.add(d.b.add(x, attended), mlp(d, normed, `${layer}.${names.mlp}`, index));
    };
}
/** x + norm(attention(x)), then the same with the MLP. */
export function postNorm({ norm, attention, mlp }) {
    return (d, x, layer, index) => {
        const attended = norm(d, attention(d, x, `${layer}.self_attn`, index), `${layer}.post_attention_layernorm`);
        const middle = d.b.add(x, attended);
        return d.b.add(middle, norm(d, mlp(d, middle, `${layer}.mlp`, index), `${layer}.post_feedforward_layernorm`));
    };
}
/** Gemma's names for the norms around each half. */
export const GEMMA_NORMS = {
    before: "input_layernorm",
    after: "post_attention_layernorm",
    beforeMlp: "pre_feedforward_layernorm",
    afterMlp: "post_feedforward_layernorm",
};
/** A norm before and after each half. */
export function sandwich({ norm, attention, mlp }, names) {
    return (d, x, layer, index) => {
        const attended = attention(d, norm(d, x, `${layer}.${names.before}`), `${layer}.self_attn`, index);
        const middle = d.b.add(x, norm(d, attended, `${layer}.${names.after}`));
        const made = mlp(d, norm(d, middle, `${layer}.${names.beforeMlp}`), `${layer}.mlp`, index);
        return d.b.add(middle, norm(d, made, `${layer}.${names.afterMlp}`));
    };
}
/** A decoder under the names that Llama gave its parts: `model.embed_tokens`, `model.layers.N`, `model.norm`, `lm_head`. */
export function standardDecoder({ name, shape, block, last, embedded, logits, ...rest }) {
    const { width, vocab } = shape;
    const d = new Decoder({ name, context: shape.context, prefixes: rest.prefixes ?? ["model."] });
    const table = "embed_tokens.weight";
    const start = d.embedding(() => {
        const x = d.embed(d.ids, table, vocab, width);
        return embedded ? embedded(d, x) : x;
    });
    const stream = d.blocks(shape.layers, start, (index, x) => block(d, x, `layers.${index}`, index));
    return d.head(stream, (rows) => {
        const made = d.logits(last(d, rows, "norm"), width, vocab, {
            table: rest.tied ? table : undefined,
            bias: rest.headBias,
        });
        return logits ? logits(d, made) : made;
    });
}
/** RMS norm over the stream. */
export function rms(width, eps, options = {}) {
    return (d, x, name) => d.rmsNorm(x, name, width, eps, options);
}
/** Layer norm over the stream. */
export function layer(width, eps, options = {}) {
    return (d, x, name) => d.layerNorm(x, name, width, eps, options);
}
//# sourceMappingURL=blocks.js.map