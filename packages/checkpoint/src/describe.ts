import { relative } from "node:path";
import type { Checkpoint, CheckpointDescription, TensorDescription } from "./checkpoint.ts";
import { isObject } from "./json.ts";
import type { StoredWeights } from "./stored-weights.ts";

/** A checkpoint in figures, from what opening it has found out already. */
export function describe(
  checkpoint: Omit<Checkpoint, "describe" | "weights">,
  weights: StoredWeights,
): CheckpointDescription {
  const tensors: TensorDescription[] = [];
  for (const name of weights.names()) {
    const { shape, format, parts } = weights.get(name)!;
    const spans = Object.values(parts);
    const bytes = spans.reduce((sum, span) => sum + span.length, 0);
    tensors.push({ name, shape, format, bytes, file: weights.nameOf(spans[0]!.file), readable: true });
  }
  for (const { name, shape, dtype, bytes, file } of weights.unreadable.values())
    tensors.push({ name, shape, format: dtype, bytes, file, readable: false });

  const formats: Record<string, number> = {};
  for (const { format } of tensors) formats[format] = (formats[format] ?? 0) + 1;
  const { model_type: modelType, architectures, quantization_config: quantisation } = checkpoint.config;
  return {
    kind: checkpoint.kind,
    path: checkpoint.path,
    modelType: typeof modelType === "string" ? modelType : undefined,
    architectures: Array.isArray(architectures) ? architectures.filter((name) => typeof name === "string") : [],
    quantisation:
      isObject(quantisation) && typeof quantisation.quant_method === "string" ? quantisation.quant_method : undefined,
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0),
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    formats,
    tensors: tensors.map((tensor) => ({ ...tensor, file: inFolder(checkpoint.folder, tensor.file) })),
    files: checkpoint.files,
    onnx: checkpoint.onnx,
    fingerprint: weights.fingerprint,
  };
}

function inFolder(folder: string, file: string): string {
  const name = relative(folder, file);
  return name.startsWith("..") ? file : name;
}
