import type { ActivationName, RouteRules } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";
import type { Part } from "./attention.ts";
import type { Config } from "./config.ts";
import type { Decoder } from "./decoder.ts";
export interface Experts {
    readonly width: number;
    readonly inner: number;
    readonly count: number;
    readonly fn: ActivationName;
    readonly route: RouteRules;
    /** The linear that scores experts. */
    readonly router: string;
    /** A bias on the choice alone (DeepSeek v3). */
    readonly routerBias?: string;
    /** Where the experts' own weights are. */
    readonly weights: (d: Decoder, prefix: string) => ExpertWeights;
    /** Added to what the experts give. */
    readonly shared?: Part;
}
export interface ExpertWeights {
    readonly gate: WeightExpr;
    readonly up: WeightExpr;
    readonly down: WeightExpr;
}
/** A mixture of gated experts. */
export declare function experts(options: Experts): Part;
/** One tensor an expert and projection: `experts.N.<name>.weight`. */
export declare function separateExperts({ width, inner, count }: Pick<Experts, "width" | "inner" | "count">, names?: {
    gate: string;
    up: string;
    down: string;
}): Experts["weights"];
/** A shared expert behind its own sigmoid gate (Qwen2-MoE). */
export declare function gatedSharedExpert(mlp: Part, names: {
    readonly expert: string;
    readonly gate: string;
}, width: number): Part;
/** Which layers have experts: every `decoder_sparse_step`th, but not those that are listed as MLP only. */
export declare function sparseLayers(config: Config): (layer: number) => boolean;
//# sourceMappingURL=moe.d.ts.map