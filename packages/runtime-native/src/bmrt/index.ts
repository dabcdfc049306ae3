export type {
  AddressMode,
  Bmrt,
  BmrtCommand,
  BmrtDevicePlace,
  BmrtDType,
  BmrtLibraries,
  BmrtNet,
  BmrtOptions,
  BmrtPlace,
  BmrtPort,
  BmrtStage,
  BmrtStagePort,
} from "./device.ts";
export { type FindOptions, findBmrt } from "./libraries.ts";
export { openBmrt } from "./open.ts";
