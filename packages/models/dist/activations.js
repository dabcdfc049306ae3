/** The names that configs use for activation functions, and what each computes. */
const ACTIVATIONS = {
    gelu: "gelu",
    gelu_python: "gelu",
    gelu_new: "gelu_tanh",
    gelu_fast: "gelu_tanh",
    gelu_pytorch_tanh: "gelu_tanh",
    gelu_python_tanh: "gelu_tanh",
    quick_gelu: "gelu_quick",
    silu: "silu",
    swish: "silu",
    relu: "relu",
    relu2: "relu2",
    sigmoid: "sigmoid",
    tanh: "tanh",
};
/** The activation function that a field names; one that is not known is refused. */
export function readActivation(config, key, or) {
    return ACTIVATIONS[config.choice(key, Object.keys(ACTIVATIONS), or)];
}
//# sourceMappingURL=activations.js.map