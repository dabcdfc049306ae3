import { describe, expect, it } from "vitest";
import { Config } from "./config.js";
import { ModelError } from "./error.js";
const config = new Config({
    n_embd: 48,
    eps: 1e-5,
    act: "gelu",
    tie: true,
    n_inner: null,
    scaling: { factor: 8, list: [1, 2] },
    bad: "48",
});
describe("Config", () => {
    it("reads fields by any of their names, null counting as absent", () => {
        expect(config.size(["hidden_size", "n_embd"])).toBe(48);
        expect(config.int("n_inner", 192)).toBe(192);
        expect(config.has("n_inner")).toBe(false);
        expect(config.child("scaling")?.float("factor")).toBe(8);
        expect(config.child("scaling")?.numbers("list", 2)).toEqual([1, 2]);
        expect(config.child("nothing")).toBeUndefined();
    });
    it.each([
        [() => config.size("hidden_size"), "config-missing", "config.json: field hidden_size is missing"],
        [() => config.size("bad"), "config-invalid", 'config.json: bad is "48", not a whole number of at least 1'],
        [() => config.bool("n_embd"), "config-invalid", "config.json: n_embd is 48, not true or false"],
        [
            () => config.child("scaling").numbers("list", 3),
            "config-invalid",
            "config.json: scaling.list is [1,2], not an array of 3 numbers",
        ],
        [
            () => config.choice("act", ["silu", "relu"]),
            "config-unsupported",
            'config.json: act is "gelu", which is not supported; supported: silu, relu',
        ],
        [
            () => config.only("tie", false),
            "config-unsupported",
            "config.json: tie is true, which is not supported; supported: false",
        ],
        [() => new Config([1]), "config-invalid", "config.json: the file is not an object"],
    ])("refuses in one line (%#)", (read, code, message) => {
        let caught;
        try {
            read();
        }
        catch (error) {
            caught = error;
        }
        expect(ModelError.isInstance(caught) && [caught.code, caught.message]).toEqual([code, message]);
    });
    it("remembers what was asked for, nested fields too", () => {
        const fresh = new Config({ a: 1, b: { c: 2 } });
        fresh.int("a");
        fresh.child("b").int("c");
        expect([...fresh.fieldsRead]).toEqual(["a", "b", "b.c"]);
    });
});
//# sourceMappingURL=config.test.js.map