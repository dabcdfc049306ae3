import type { ActivationName } from "@llm/core-ir";
import type { Part } from "./attention.ts";
export interface Mlp {
    readonly width: number;
    readonly inner: number;
    readonly fn: ActivationName;
    readonly bias?: boolean;
    /** Stored [in, out]. */
    readonly transposed?: boolean;
}
declare const GATED: {
    gate: string;
    up: string;
    down: string;
};
/** down(fn(gate(x)) · up(x)) */
export declare function gatedMlp({ width, inner, fn, bias }: Mlp, names?: typeof GATED): Part;
/** The same with gate and up in one linear, the gate's rows first. */
export declare function fusedGatedMlp({ width, inner, fn, bias }: Mlp, names?: {
    both: string;
    down: string;
}): Part;
/** down(fn(up(x))) */
export declare function plainMlp({ width, inner, fn, ...layout }: Mlp, names: {
    readonly up: string;
    readonly down: string;
}): Part;
export {};
//# sourceMappingURL=mlp.d.ts.map