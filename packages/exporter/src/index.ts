export type { Emission, EmittedOp, Emitter, EmitterTable, NodeOptions } from "./convert/emission.ts";
export { lowerForOnnx, type Sayable } from "./convert/lower.ts";
export { type AttrKind, type NodeSpec, nodeEmitter } from "./convert/node-emitter.ts";
export { primitiveEmitters } from "./convert/primitive/index.ts";
export { type Storage, type StoredAs, storageOf } from "./convert/storage.ts";
export { type ToOnnxOptions, toOnnx } from "./convert/to-onnx.ts";
export { ExportError, type ExportErrorCode, type ExportErrorDetails } from "./error.ts";
export { type GenaiOptions, genaiConfig } from "./flavours/genai-config.ts";
export { halfPrecision } from "./flavours/half-precision.ts";
export { greedyHead, type SampleHeadOptions, sampleHead } from "./flavours/heads.ts";
export { type TransformersInterface, transformersInterface } from "./flavours/transformers-interface.ts";
export {
  exportTransformersJs,
  type TransformersJsDtype,
  type TransformersJsOptions,
} from "./flavours/transformersjs.ts";
export * from "./model/onnx-model.ts";
export * from "./read/read-onnx.ts";
export { type WriteOptions, type WrittenFile, type WrittenOnnx, writeOnnx } from "./write/write-onnx.ts";
