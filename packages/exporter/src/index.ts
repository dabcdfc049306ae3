export { ExportError, type ExportErrorCode, type ExportErrorDetails } from "./error.ts";
export * from "./model/onnx-model.ts";
export * from "./read/read-onnx.ts";
export { type WriteOptions, type WrittenFile, type WrittenOnnx, writeOnnx } from "./write/write-onnx.ts";
