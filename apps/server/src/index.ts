export type { DeskLimits } from "./access/desk.ts";
export { KeyRing, type KeyRingOptions, NoKeysError } from "./access/key-ring.ts";
export type { ServedModel, ServedOptions } from "./engine/model-host.ts";
export type { ConnectionLimits, TlsFiles } from "./http/connections.ts";
export { createServer, type ServerOptions } from "./server.ts";
