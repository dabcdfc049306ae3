export { type BuildRequest, type BuildResult, type BuiltUnit, buildArtefact } from "./build-artefact.ts";
export type { BuildEvent } from "./events.ts";
export { type Executor, localExecutor, type UnitJob, type UnitOutcome } from "./executor.ts";
export { type KeyInputs, unitKeys } from "./keys.ts";
export { MANIFEST, readManifest } from "./manifest.ts";
export { type OpenOptions, openArtefact } from "./open-artefact.ts";
export { orderUnits } from "./order.ts";
export type { Capacity } from "./run-units.ts";
export { type CachedUnit, UnitCache } from "./unit-cache.ts";
