import type { PassCall } from "@llm/target";

/** Tokens of a row that go through the model at once: more is hardly faster and takes more memory. */
export const CHUNK = 512;

/** The only net of this target's programs. */
export const NET = "decoder";

/** From a canonical decoder graph to ONNX Runtime's operators. */
export const PIPELINE: readonly PassCall[] = [
  { pass: "pad", params: { slots: "rows" } },
  { pass: "cache-form", params: { form: "fused", layout: "heads" } },
  { pass: "lower-to-ort" },
];
