export { bm1684xTarget, bm1684xTarget as default } from "./bm1684x-target.ts";
export { NETS_FILE, type NetEntry, type NetsFile } from "./compile/nets-file.ts";
export type { Port, PortRole, Ports } from "./nets/net-ports.ts";
export { type Bm1684xMode, type Bm1684xOptions, bm1684xOptions } from "./options.ts";
export { type InstallOptions, installToolchain } from "./tools/install.ts";
export {
  type Environment,
  isInstalled,
  requireToolchain,
  type Toolchain,
  TPU_MLIR_VERSION,
  toolchainOf,
} from "./tools/toolchain.ts";
