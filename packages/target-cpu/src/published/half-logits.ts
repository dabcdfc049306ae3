import type { OrtTensor } from "@llm/runtime-native/ort";
import { TargetError } from "@llm/target";

/** The last so many logits as float32, whatever a file gives. */
export function lastRows({ dtype, data }: OrtTensor, count: number): Float32Array {
  const last = data.subarray(data.length - count);
  if (dtype === "f32") return last as Float32Array;
  if (dtype === "f16")
    return Float32Array.from(new Float16Array(last.buffer as ArrayBuffer, last.byteOffset, last.length));
  throw new TargetError("artefact-damaged", `the ONNX file gives its logits as ${dtype}, which are no floats`);
}
