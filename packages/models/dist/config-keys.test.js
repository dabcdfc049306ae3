import { goldenNames } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { Config } from "./config.js";
import { ModelError } from "./error.js";
import { architectureFor, architectures } from "./registry.js";
import { goldenConfig } from "./testing/golden-model.js";
/** Other values of a field's kind, several because one may mean the same. */
function otherValues(value) {
    if (typeof value === "boolean")
        return [!value];
    if (typeof value === "number")
        return [value * 2, value / 2, value + 1, value - 1, value * 1000, value / 1000, 3.25];
    if (typeof value === "string")
        return ["something else", "relu", "silu", "full_attention"];
    if (value === null)
        return [1, 5, 0.5, true, "something else"];
    if (Array.isArray(value))
        return [[...value].reverse(), value.slice(1), value.map((item) => otherValues(item)[0]), [...value, value.length]];
    return [];
}
/** Every field, those of nested objects by dotted name, with a way to make the config anew with another value. */
function* fields(raw, path = "") {
    for (const [key, value] of Object.entries(raw)) {
        const name = path ? `${path}.${key}` : key;
        if (typeof value === "object" && value !== null && !Array.isArray(value))
            for (const inner of fields(value, name))
                yield { ...inner, set: (next) => ({ ...raw, [key]: inner.set(next) }) };
        else
            yield { name, value, set: (next) => ({ ...raw, [key]: next }) };
    }
}
/** A graph as text, or that the config is refused. */
function outcome(raw) {
    try {
        return JSON.stringify(architectureFor(raw).build(new Config(raw)));
    }
    catch (error) {
        if (ModelError.isInstance(error))
            return `refused: ${error.message}`;
        throw error;
    }
}
/** What no golden config switches on: changes to one that is near. */
const MORE = {
    phi3: { golden: "phi3_longrope_long", change: { original_max_position_embeddings: null } },
    qwen3: {
        golden: "qwen3",
        change: { use_sliding_window: true, sliding_window: 5, layer_types: ["full_attention", "sliding_attention"] },
    },
    smollm3: {
        golden: "smollm3",
        change: { use_sliding_window: true, sliding_window: 5, layer_types: ["full_attention", "sliding_attention"] },
    },
};
/** All configs of an architecture in the golden data, in both generations of keys. */
function configsOf(id) {
    const configs = goldenNames().flatMap((name) => ["config.json", "config.legacy.json"].map((file) => goldenConfig(name, file)?.raw));
    const own = configs.filter((raw) => raw !== undefined && architectureFor(raw).id === id);
    if (!(id in MORE))
        return own;
    const { golden, change } = MORE[id];
    return [...own, { ...goldenConfig(golden, "config.json").raw, ...change }];
}
function shows(raw, field) {
    const found = [...fields(raw)].find(({ name }) => name === field);
    if (found === undefined)
        return false;
    const before = outcome(raw);
    return otherValues(found.value).some((other) => outcome(found.set(other)) !== before);
}
/** Whether changing a field shows in some config, or in one with another field changed: some matter only together. */
function reacts(configs, field) {
    if (configs.some((raw) => shows(raw, field)))
        return true;
    return configs.some((raw) => [...fields(raw)].some(({ name, value, set }) => name !== field && otherValues(value).some((other) => shows(set(other), field))));
}
const excused = (field, ignored) => field.split(".").some((_, i, parts) => parts.slice(0, i + 1).join(".") in ignored);
describe.each(architectures)("$id", (architecture) => {
    it("does something with every field of its configs, or says why not", () => {
        const configs = configsOf(architecture.id);
        const names = new Set(configs.flatMap((raw) => [...fields(raw)].map(({ name }) => name)));
        expect(names.size).toBeGreaterThan(10);
        const silent = [...names].filter((field) => !excused(field, architecture.ignored) && !reacts(configs, field));
        expect(silent).toEqual([]);
    });
});
//# sourceMappingURL=config-keys.test.js.map