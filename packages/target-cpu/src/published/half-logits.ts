import type { OrtTensor } from "@llm/runtime-native/ort";
import { TargetError } from "@llm/target";

/** Logits as float32, whatever a file gives. */
export function widened({ dtype, data }: OrtTensor): Float32Array {
  if (dtype === "f32") return data as Float32Array;
  if (dtype === "f16")
    return Float32Array.from(new Float16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length));
  throw new TargetError("artefact-damaged", `the ONNX file gives its logits as ${dtype}, which are no floats`);
}
