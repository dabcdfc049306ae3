import { ReferenceModel } from "@llm/core-ir";
import { it } from "vitest";
import { goldenConfig, openGolden } from "./testing/golden-model.js";
it("x", async () => {
    for (const f of [(a) => a, (a) => ({ ...a, anchor: "relative" }), (a) => ({ ...a, slopes: a.slopes.map((s) => s * 12 ** -0.5), anchor: "relative", round: undefined }), (a) => ({ ...a, slopes: a.slopes.map(() => 0) })]) {
        const m = await openGolden("falcon_rw", goldenConfig("falcon_rw", "config.json"));
        for (const o of m.graph.ops)
            if (o.kind === "attention")
                o.attrs.alibi = JSON.parse(JSON.stringify(f(o.attrs.alibi)));
        const [{ hidden }] = new ReferenceModel(m.graph, m.weights).step([{ slot: 0, at: 0, tokens: m.golden.prompts[0].input_ids }]);
        const r = new ReferenceModel(m.graph, m.weights);
        console.log(hidden[1].slice(48, 53), r.graph.ops.filter(o => o.kind.includes("attention"))[0].attrs, r.graph.ops.slice(0, 14).map(o => o.kind));
    }
});
//# sourceMappingURL=dbg.test.js.map