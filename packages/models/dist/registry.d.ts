import type { Architecture } from "./architecture.ts";
/** Every architecture; a new one is a file and a line here. */
export declare const architectures: readonly Architecture[];
/** The architecture that a config.json is of: by `model_type`, or by class name where that is missing or unknown. */
export declare function architectureFor(config: Readonly<Record<string, unknown>>): Architecture;
//# sourceMappingURL=registry.d.ts.map