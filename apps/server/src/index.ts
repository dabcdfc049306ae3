export type { ServedModel } from "./engine/model-host.ts";
export { createServer, type ServerOptions } from "./server.ts";
