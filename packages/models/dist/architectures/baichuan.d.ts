import type { Architecture } from "../architecture.ts";
/** Baichuan 1 and 2: Llama with one fused projection; see `unsaid` for what tells the sizes apart. */
export declare const baichuan: Architecture;
//# sourceMappingURL=baichuan.d.ts.map