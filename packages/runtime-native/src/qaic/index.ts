export { type BuildHostOptions, buildQaicHost, hostFiles } from "./build-host.ts";
export type { QaicBuffer, QaicHost, QaicMapping, QaicOptions } from "./host.ts";
export { openQaic } from "./open-qaic.ts";
