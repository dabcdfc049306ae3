import type { Architecture } from "../architecture.ts";
/** SmolLM3: Llama in which every few layers know no positions. */
export declare const smollm3: Architecture;
//# sourceMappingURL=smollm3.d.ts.map