export { Config } from "./config.js";
export { ModelError } from "./error.js";
export { architectureFor, architectures } from "./registry.js";
//# sourceMappingURL=index.js.map