import type { Config } from "./config.ts";
/** The sizes that nearly every decoder has, under the keys that most configs use. */
export interface Shape {
    readonly layers: number;
    readonly width: number;
    readonly heads: number;
    readonly groups: number;
    readonly dim: number;
    readonly inner: number;
    readonly vocab: number;
    readonly context: number;
}
/** Sizes of a config in the keys of Llama and its descendants. */
export declare function readShape(config: Config, { context }?: {
    readonly context?: number;
}): Shape;
/** Refuses heads that can't share keys and values evenly. */
export declare function checkHeads<S extends Pick<Shape, "heads" | "groups">>(config: Config, shape: S): S;
/** Size of a head where it follows from the width; a width that doesn't divide is refused. */
export declare function headDim(config: Config, width: number, heads: number): number;
//# sourceMappingURL=shape.d.ts.map