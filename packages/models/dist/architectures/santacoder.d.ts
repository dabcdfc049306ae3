import type { Architecture } from "../architecture.ts";
/** SantaCoder as first published: GPT-2's Conv1D tensors, with one projection for queries and one for the common key and value. */
export declare const santacoder: Architecture;
//# sourceMappingURL=santacoder.d.ts.map