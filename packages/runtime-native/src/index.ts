export { type AddonStatus, addonStatus } from "./addon.ts";
export { type CpuFeatures, cpuFeatures } from "./cpu-features.ts";
export { NativeError, type NativeErrorCode, type NativeErrorDetails } from "./error.ts";
