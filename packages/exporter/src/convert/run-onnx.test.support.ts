import type { Tensor } from "@llm/tensor";
import * as ort from "onnxruntime-node";
import type { OnnxModel } from "../model/onnx-model.ts";
import { encodeModel } from "../model/to-proto.ts";

const ORT_TYPES = { f32: "float32", i32: "int32", i64: "int64", bool: "bool", u8: "uint8" } as const;

/** Runs a model without weights outside on ONNX Runtime; its results in the order of the model's outputs. */
export async function runOnnx(model: OnnxModel, inputs: Readonly<Record<string, Tensor>>): Promise<Tensor[]> {
  const session = await ort.InferenceSession.create(encodeModel(model, new Map()), { logSeverityLevel: 3 });
  try {
    const feeds: Record<string, ort.Tensor> = {};
    for (const [name, { dtype, data, shape }] of Object.entries(inputs))
      feeds[name] = new ort.Tensor(ORT_TYPES[dtype as keyof typeof ORT_TYPES], data as never, shape);
    const results = await session.run(feeds);
    return model.outputs.map(({ name, dtype }) => {
      const { data, dims } = results[name];
      return { dtype, shape: dims, data: data as never };
    });
  } finally {
    await session.release();
  }
}
