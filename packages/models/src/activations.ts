import type { ActivationName } from "@llm/core-ir";
import type { Config } from "./config.ts";

/** The names that configs use for activation functions, and what each computes. */
const ACTIVATIONS: Readonly<Record<string, ActivationName>> = {
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
export function readActivation(config: Config, key: string | readonly string[], or?: string): ActivationName {
  return ACTIVATIONS[config.choice(key, Object.keys(ACTIVATIONS), or)];
}
