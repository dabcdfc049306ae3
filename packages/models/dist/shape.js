/** Sizes of a config in the keys of Llama and its descendants. */
export function readShape(config, { context = 2048 } = {}) {
    const width = config.size("hidden_size");
    const heads = config.size("num_attention_heads");
    return checkHeads(config, {
        layers: config.size("num_hidden_layers"),
        width,
        heads,
        groups: config.size("num_key_value_heads", heads),
        dim: config.size("head_dim", Math.floor(width / heads)),
        inner: config.size("intermediate_size"),
        vocab: config.size("vocab_size"),
        context: config.size("max_position_embeddings", context),
    });
}
/** Refuses heads that can't share keys and values evenly. */
export function checkHeads(config, shape) {
    if (shape.heads % shape.groups !== 0)
        throw config.unsupported(`${shape.heads} heads can't share ${shape.groups} key and value heads`);
    return shape;
}
/** Size of a head where it follows from the width; a width that doesn't divide is refused. */
export function headDim(config, width, heads) {
    if (width % heads !== 0)
        throw config.unsupported(`${heads} heads don't divide a width of ${width}`);
    return width / heads;
}
//# sourceMappingURL=shape.js.map