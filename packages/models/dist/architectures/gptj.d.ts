import type { Architecture } from "../architecture.ts";
export declare const gptj: Architecture;
export declare const codegen: Architecture;
//# sourceMappingURL=gptj.d.ts.map