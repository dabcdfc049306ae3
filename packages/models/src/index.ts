export { type Architecture, harmlessOf, type TensorShapes } from "./architecture.ts";
export { Config } from "./config.ts";
export { ModelError, type ModelErrorCode } from "./error.ts";
export { architectureFor, architectures } from "./registry.ts";
export { unreadFields } from "./unread.ts";
