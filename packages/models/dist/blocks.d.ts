import type { Graph, Value } from "@llm/core-ir";
import type { Part } from "./attention.ts";
import { Decoder, type NormLayout } from "./decoder.ts";
import type { Shape } from "./shape.ts";
/** A norm of the stream by name. */
export type Norm = (d: Decoder, x: Value, name: string) => Value;
/** One block of the decoder: stream in, stream out; `layer` is its prefix, "layers.3". */
export type BlockPart = (d: Decoder, x: Value, layer: string, index: number) => Value;
export interface Halves {
    readonly norm: Norm;
    readonly attention: Part;
    readonly mlp: Part;
    readonly names?: {
        readonly before: string;
        readonly between: string;
        readonly attention: string;
        readonly mlp: string;
    };
    /** Factor on what each half adds to the stream. */
    readonly residual?: number;
}
/** x + attention(norm(x)), then the same with the MLP. */
export declare function preNorm({ norm, attention, mlp, names, residual }: Halves): BlockPart;
/** x + attention(norm(x)) + mlp(norm(x)), one norm for both. */
export declare function parallel({ norm, attention, mlp, names }: Halves): BlockPart;
/** x + norm(attention(x)), then the same with the MLP. */
export declare function postNorm({ norm, attention, mlp }: Halves): BlockPart;
/** Gemma's names for the norms around each half. */
export declare const GEMMA_NORMS: {
    before: string;
    after: string;
    beforeMlp: string;
    afterMlp: string;
};
/** A norm before and after each half. */
export declare function sandwich({ norm, attention, mlp }: Halves, names: {
    readonly before: string;
    readonly after: string;
    readonly beforeMlp: string;
    readonly afterMlp: string;
}): BlockPart;
export interface Standard {
    readonly name: string;
    readonly shape: Shape;
    readonly tied: boolean;
    readonly headBias?: boolean;
    readonly prefixes?: readonly string[];
    readonly block: BlockPart;
    /** The norm before the head. */
    readonly last: Norm;
    /** On the embedding; on the logits. */
    readonly embedded?: (d: Decoder, x: Value) => Value;
    readonly logits?: (d: Decoder, x: Value) => Value;
}
/** A decoder under the names that Llama gave its parts: `model.embed_tokens`, `model.layers.N`, `model.norm`, `lm_head`. */
export declare function standardDecoder({ name, shape, block, last, embedded, logits, ...rest }: Standard): Graph;
/** RMS norm over the stream. */
export declare function rms(width: number, eps: number, options?: {
    readonly plusOne?: boolean;
}): Norm;
/** Layer norm over the stream. */
export declare function layer(width: number, eps: number, options?: NormLayout): Norm;
//# sourceMappingURL=blocks.d.ts.map