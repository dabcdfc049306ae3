import { PROFILES } from "./sdk-profiles.ts";
import type { CompileSettings } from "./settings.ts";

/** How the device keeps a tensor. */
export type Precision = "float16" | "mxint8";

/**
 * The file that says how caches are kept; everything else stays as the graph has it. `states` are the graph's inputs of
 * caches in their order: past_key.0, past_value.0, past_key.1 …
 */
export function customIoFile(settings: CompileSettings, states: readonly string[]): string {
  const precision: Precision = settings.mxint8 ? "mxint8" : "float16";
  const retained = states.map((name) => retainedName(name, settings.subFunctions));
  const entry = (name: string) => ` - IOName: ${name}\n   Precision: ${precision}\n\n`;
  if (PROFILES[settings.profile].customIo === "paired")
    return states.map((name, at) => entry(name) + entry(retained[at]!)).join("");
  const list = (heading: string, names: readonly string[]) => `# ${heading}\n\n${names.map(entry).join("")}`;
  return list("Model Inputs", states) + list("Model Outputs", retained);
}

/** The output that a cache's input is paired with; inside functions, pairs are told apart by their name. */
export function retainedName(state: string, subFunctions = false): string {
  return `${state}_${subFunctions ? "Internal" : ""}RetainedState`;
}
