import { ReferenceModel } from "@llm/core-ir";
import { goldenNames } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { goldenConfig, openGolden } from "./testing/golden-model.js";
/** Float32 against float32, summed in another order: far below this unless something is wrong. */
const TOLERANCE = 1e-3;
/** One-piece, chunked and token-by-token prefill are the same sums. */
const CHUNK_TOLERANCE = 1e-4;
function worst(ours, theirs) {
    expect(ours.length).toBe(theirs.data.length);
    let most = 0;
    for (let i = 0; i < ours.length; i++) {
        const difference = Math.abs(ours[i] - Number(theirs.data[i]));
        if (!(difference <= most))
            most = difference; // NaN counts as worse
    }
    return most;
}
function argmax(values) {
    return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
function checkLogitsAndHidden({ graph, weights, golden, arrays }) {
    for (const [p, prompt] of golden.prompts.entries()) {
        const [{ logits, hidden }] = new ReferenceModel(graph, weights).step([
            { slot: 0, at: 0, tokens: prompt.input_ids },
        ]);
        expect(worst(logits, arrays.get(`p${p}.logits`))).toBeLessThan(TOLERANCE);
        if (p > 0)
            continue; // hidden states are recorded of the first prompt
        expect(hidden.length).toBe(golden.num_hidden + 1);
        for (const [i, values] of hidden.entries())
            expect(worst(values, arrays.get(`p0.hidden.${i}`))).toBeLessThan(TOLERANCE);
    }
}
function checkGreedy({ graph, weights, golden }) {
    for (const prompt of golden.prompts) {
        const model = new ReferenceModel(graph, weights);
        const made = [];
        let tokens = prompt.input_ids;
        for (let at = 0; made.length < prompt.greedy.length; at += tokens.length, tokens = [made.at(-1)]) {
            const [{ logits }] = model.step([{ slot: 0, at, tokens, last: 1 }]);
            made.push(argmax(logits));
        }
        expect(made).toEqual(prompt.greedy);
    }
}
function checkChunks({ graph, weights, golden }) {
    const tokens = golden.prompts[1].input_ids;
    const [whole] = new ReferenceModel(graph, weights).step([{ slot: 0, at: 0, tokens }]);
    for (const size of [1, 5]) {
        const model = new ReferenceModel(graph, weights);
        for (let at = 0; at < tokens.length; at += size) {
            const piece = tokens.slice(at, at + size);
            const [{ logits }] = model.step([{ slot: 0, at, tokens: piece, reach: tokens.length }]);
            const width = logits.length / piece.length;
            const expected = whole.logits.subarray(at * width, (at + piece.length) * width);
            expect(worst(logits, { dtype: "f32", shape: [expected.length], data: expected })).toBeLessThan(CHUNK_TOLERANCE);
        }
    }
}
describe.each(goldenNames())("%s", (name) => {
    it("gives the reference's logits, hidden states and greedy text, in one piece, in chunks and token by token", async () => {
        const model = await openGolden(name, goldenConfig(name, "config.json"));
        checkLogitsAndHidden(model);
        checkGreedy(model);
        checkChunks(model);
    });
    const legacy = goldenConfig(name, "config.legacy.json");
    if (legacy)
        it("is the same graph from the keys of older configs", async () => {
            checkLogitsAndHidden(await openGolden(name, legacy));
        });
});
//# sourceMappingURL=golden.test.js.map