import type { OrtPort, OrtSession } from "@llm/runtime-native/ort";

/** A state's output has its input's name with this in front. */
export const NEXT = "next.";

/** Inputs that come back as outputs. */
export function statePorts(model: Pick<OrtSession, "inputs" | "outputs">): readonly OrtPort[] {
  return model.inputs.filter(({ name }) => model.outputs.some((output) => output.name === NEXT + name));
}
