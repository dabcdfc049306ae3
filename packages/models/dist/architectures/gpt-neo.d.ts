import type { Architecture } from "../architecture.ts";
/** GPT-Neo: GPT-2 whose scores aren't scaled and whose layers alternate between all and the last few tokens. */
export declare const gptNeo: Architecture;
//# sourceMappingURL=gpt-neo.d.ts.map