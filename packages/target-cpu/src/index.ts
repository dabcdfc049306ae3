export { cpuTarget, cpuTarget as default } from "./cpu-target.ts";
export type { CpuOptions } from "./options.ts";
