export type { Checkpoint, CheckpointDescription, CheckpointKind, TensorDescription } from "./checkpoint.ts";
export { CheckpointError, type CheckpointErrorCode, type CheckpointErrorDetails } from "./error.ts";
export * from "./hub/index.ts";
export type { Json, JsonObject } from "./json.ts";
export { type OpenOptions, openCheckpoint } from "./open.ts";
export { openTensorFile } from "./open-tensors.ts";
export { type Overrides, parseOverride } from "./overrides.ts";
export type { StoredWeights } from "./stored-weights.ts";
