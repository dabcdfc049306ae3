import { cacheFormat, emulation, type Graph } from "@llm/core-ir";
import { type PassCall, TargetError } from "@llm/target";
import { parseMesh } from "@llm/target/mesh";
import { parseFormatRules } from "./format-rules.ts";
import { SPAN_INPUT } from "./lower/inputs.ts";
import { type CpuOptions, checkCacheFormat, checkFormat, checkGroups, packedBits } from "./options.ts";
import { GROUP } from "./ort/packed-weights.ts";

/** Tokens of a row that go through the model at once: more is hardly faster and takes more memory. */
const CHUNK = 512;
/** Fewer where every head's bias for every query and key has to be there at once. */
const BIASED_CHUNK = 128;

/** Most tokens of a row, for a model with these inputs and a session of `context` tokens. */
export function chunkOf(inputs: readonly string[], context: number): number {
  return Math.min(inputs.includes(SPAN_INPUT) ? BIASED_CHUNK : CHUNK, context);
}

/** The only net of this target's programs. */
export const NET = "decoder";

/** Refuses a mesh of more stages than the model has parts: its embedding, its layers and its head. */
export function checkStages({ blocks }: Pick<Graph, "blocks">, mesh = "1x1"): void {
  const { pp } = parseMesh(mesh);
  if (pp > blocks.length)
    throw new TargetError(
      "option-invalid",
      `--mesh ${mesh} has ${pp} stages, but the model has ${blocks.length} parts to share between them; give a smaller third number`,
    );
}

/** From a canonical decoder graph to ONNX Runtime's operators. */
export function cpuPipeline(options: PipelineOptions): readonly PassCall[] {
  const { format, qGroupSize = 0, formatRules = [], kvFormat, activations } = options;
  checkFormat("--format", format);
  checkCacheFormat(kvFormat);
  const bits = packedBits(options);
  if (bits === undefined) checkGroups(format, qGroupSize);
  const rules = formatRules.length === 0 ? {} : { rules: parseFormatRules(formatRules) };
  const weights = bits === undefined ? { format, group: qGroupSize, ...rules } : {};
  const { dp, mp, pp } = parseMesh(options.mesh ?? "1x1");
  const shared = mp * pp > 1;
  if (options.adapters && dp * mp * pp > 1)
    throw new TargetError("option-invalid", "--adapters: a mesh's workers take none; merge one with --lora");
  return [
    // A mesh's stages end in one output.
    ...(shared ? [] : [{ pass: "tell-hidden" }]),
    ...emulation({ ...weights, ...(activations === undefined ? {} : { activations }) }),
    ...(shared
      ? [{ pass: "partition", params: { mp, edges: pp > 1, ...(bits === undefined ? {} : { step: GROUP }) } }]
      : []),
    { pass: "pad", params: { slots: "rows" } },
    ...(options.adapters ? [{ pass: "low-rank" }] : []),
    { pass: "cache-form", params: { form: "fused", layout: "heads", ...cacheFormat(kvFormat) } },
    { pass: "lower-to-ort", ...(bits === undefined ? {} : { params: { bits } }) },
    ...(shared ? [{ pass: "stages", params: { count: pp } }, { pass: "cut-at-collectives" }] : []),
  ];
}

/** The options that shape a program. */
export type PipelineOptions = Pick<
  CpuOptions,
  "format" | "emulate" | "qGroupSize" | "formatRules" | "kvFormat" | "activations" | "mesh" | "adapters"
>;
