import { elementsOf, type OrtPort, type OrtSession } from "@llm/runtime-native/ort";

/** A state's output has its input's name with this in front. */
export const NEXT = "next.";

/** Inputs that come back as outputs. */
export function statePorts(model: Pick<OrtSession, "inputs" | "outputs">): readonly OrtPort[] {
  return model.inputs.filter(({ name }) => model.outputs.some((output) => output.name === NEXT + name));
}

/** What a token takes of one slot's cache, in bytes: of keys and values [batch, heads, context, width], or latents without heads. */
export function tokenBytes(states: readonly OrtPort[]): number {
  return states.reduce((sum, { shape }) => {
    const fixed = [...shape.slice(1, -2), ...shape.slice(-1)].filter((dim) => typeof dim === "number");
    return sum + 4 * elementsOf(fixed);
  }, 0);
}
