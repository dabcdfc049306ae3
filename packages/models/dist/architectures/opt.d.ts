import type { Architecture } from "../architecture.ts";
/** OPT: learned positions; the 350M one norms after each half, and its embedding is narrower than its stream. */
export declare const opt: Architecture;
//# sourceMappingURL=opt.d.ts.map