import { readFileSync } from "node:fs";
import { openCheckpoint } from "@llm/checkpoint";
import { goldenDir, hasLegacyConfig, readGolden, readGoldenConfig } from "@llm/fixtures";
import { bind, read as readWeight, requireBound } from "@llm/tensor";
import { Config } from "../config.js";
import { architectureFor } from "../registry.js";
/** The config of a golden model in one generation of keys; undefined where there is none. */
export function goldenConfig(name, file) {
    return file === "config.legacy.json" && !hasLegacyConfig(name) ? undefined : new Config(readGoldenConfig(name, file));
}
/** Opens a golden model through the packages that users go through. */
export async function openGolden(name, config) {
    const architecture = architectureFor(config.raw);
    const checkpoint = await openCheckpoint(goldenDir(name));
    try {
        const graph = architecture.build(config, (tensor) => checkpoint.weights.get(tensor)?.shape);
        const exprs = requireBound(bind(graph.weights.map((weight) => weight.expr), checkpoint.weights, { harmless: architecture.harmless }));
        const weights = new Map();
        for (const [i, expr] of exprs.entries())
            weights.set(graph.weights[i].value.id, await readWeight(expr, checkpoint.weights, "f32"));
        return { golden: readGolden(name), graph, weights, arrays: readArrays(name) };
    }
    finally {
        await checkpoint.close();
    }
}
/** golden.safetensors is small and ours: read whole, f32 and i32 only. */
function readArrays(name) {
    const bytes = readFileSync(`${goldenDir(name)}/golden.safetensors`);
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString("utf8", 8, 8 + length));
    const arrays = new Map();
    for (const [key, { dtype, shape, data_offsets }] of Object.entries(header)) {
        if (key === "__metadata__")
            continue;
        const [from, to] = data_offsets.map((offset) => 8 + length + offset);
        const data = bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
        arrays.set(key, dtype === "F32"
            ? { dtype: "f32", shape, data: new Float32Array(data) }
            : { dtype: "i32", shape, data: new Int32Array(data) });
    }
    return arrays;
}
//# sourceMappingURL=golden-model.js.map