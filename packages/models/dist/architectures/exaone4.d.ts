import type { Architecture } from "../architecture.ts";
/** EXAONE 4: norms after each half, normed heads; where some layers slide, only those are rotated. */
export declare const exaone4: Architecture;
//# sourceMappingURL=exaone4.d.ts.map