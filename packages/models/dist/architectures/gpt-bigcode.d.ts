import type { Architecture } from "../architecture.ts";
/** GPTBigCode (StarCoder, SantaCoder): GPT-2 with plain linears, and one key and value head for all queries or one each. */
export declare const gptBigcode: Architecture;
//# sourceMappingURL=gpt-bigcode.d.ts.map