export type { Architecture, TensorShapes } from "./architecture.ts";
export { Config } from "./config.ts";
export { ModelError, type ModelErrorCode } from "./error.ts";
export { architectureFor, architectures } from "./registry.ts";
//# sourceMappingURL=index.d.ts.map