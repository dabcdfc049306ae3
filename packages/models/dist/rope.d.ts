import type { Config } from "./config.ts";
/** The attributes of the graph's `rotary` op that a config decides: data, so that no pass knows where they came from. */
export interface Rope {
    readonly dims: number;
    readonly freqs: readonly number[];
    readonly factor?: number;
    /** What holds once the whole prompt is longer than `above`: other frequencies, or a base that grows with the length. */
    readonly beyond?: {
        readonly above: number;
        readonly freqs?: readonly number[];
        readonly ntk?: {
            readonly base: number;
            readonly factor: number;
        };
    };
}
export interface RopeOptions {
    /** Size of a head, of which `partial_rotary_factor` turns. */
    readonly headDim: number;
    readonly defaultTheta?: number;
    /** When the share is not in the config, or under an older name. */
    readonly partialFactor?: number;
    /** Of the nested parameters by layer type (Gemma 3), which. */
    readonly layerType?: string;
    /** Theta for that layer type in configs that came before the nested form. */
    readonly legacyTheta?: string;
}
/**
 * The rotary embedding that a config asks for, in both generations of keys: `rope_parameters`, or `rope_theta` with
 * `rope_scaling`. The formulas are those of the published implementations.
 */
export declare function readRope(config: Config, options: RopeOptions): Rope;
/** theta^(−2i / dims) for each pair i. */
export declare function inverseFrequencies(theta: number, dims: number): number[];
/** YaRN's correction of the attention's temperature. */
export declare function yarnScale(factor: number, mscale?: number): number;
//# sourceMappingURL=rope.d.ts.map