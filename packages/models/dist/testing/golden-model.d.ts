import type { Graph } from "@llm/core-ir";
import { type Golden } from "@llm/fixtures";
import { type Tensor } from "@llm/tensor";
import { Config } from "../config.ts";
/** A golden model ready to run: its graph, its weights by value id, and what the reference said. */
export interface GoldenModel {
    readonly golden: Golden;
    readonly graph: Graph;
    readonly weights: ReadonlyMap<string, Tensor>;
    /** Arrays of golden.safetensors, by name. */
    readonly arrays: ReadonlyMap<string, Tensor>;
}
/** The config of a golden model in one generation of keys; undefined where there is none. */
export declare function goldenConfig(name: string, file: "config.json" | "config.legacy.json"): Config | undefined;
/** Opens a golden model through the packages that users go through. */
export declare function openGolden(name: string, config: Config): Promise<GoldenModel>;
//# sourceMappingURL=golden-model.d.ts.map