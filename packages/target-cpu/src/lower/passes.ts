import type { Pass } from "@llm/core-ir";
import { lowerToOrt } from "./lower-to-ort.ts";
import { tellHidden } from "./tell-hidden.ts";

/** The passes of this target, by name; `cpuPipeline` says when they run. */
export const cpuPasses: readonly Pass[] = [tellHidden, lowerToOrt];
