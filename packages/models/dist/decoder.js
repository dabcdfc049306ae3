import { Builder } from "@llm/core-ir";
/** More tokens in one call, or more sequences at once, than any device has room for. */
const MANY = 2 ** 20;
/**
 * What all decoder architectures have in common: the canonical inputs, named weights, caches, blocks. An architecture's
 * `build` says the rest with it.
 */
export class Decoder {
    b;
    ids; // (tokens)
    positions; // (tokens)
    slots; // (tokens)
    #prefixes;
    #reach;
    constructor({ name, context, prefixes = [""] }) {
        this.b = new Builder(name);
        this.#prefixes = prefixes;
        const tokens = this.b.dim("tokens", { min: 1, max: MANY });
        this.b.dim("context", { min: 1, max: context }); // what a cache's length will be bounded by
        this.ids = this.b.input("ids", "i32", [tokens]);
        this.positions = this.b.input("positions", "i32", [tokens]);
        this.slots = this.b.input("slots", "i32", [tokens]);
    }
    /** A published tensor, under whichever prefix the checkpoint has it. */
    tensor(name, shape) {
        const named = this.#prefixes.map((prefix) => ({ op: "tensor", name: `${prefix}${name}`, shape }));
        return named.length === 1 ? named[0] : { op: "either", of: named };
    }
    /** Rows of a table by id. */
    embed(ids, name, rows, width, offset) {
        return this.b.embed(this.b.weight(this.tensor(name, [rows, width])), ids, { offset });
    }
    /** `name.weight` and `name.bias` applied to the last axis. */
    linear(x, name, from, to, { bias = false, transposed = false } = {}) {
        const stored = this.tensor(`${name}.weight`, transposed ? [from, to] : [to, from]);
        const weight = transposed ? { op: "permute", of: stored, perm: [1, 0] } : stored;
        const b = bias ? this.b.weight(this.tensor(`${name}.bias`, [to])) : null;
        return this.b.linear(x, this.b.weight(weight), b);
    }
    layerNorm(x, name, width, eps, { bias = true, plusOne = false } = {}) {
        const w = this.b.weight(this.tensor(`${name}.weight`, [width]));
        const b = bias ? this.b.weight(this.tensor(`${name}.bias`, [width])) : null;
        return this.b.norm(x, { kind: "layer", eps, plusOne: plusOne || undefined }, w, b);
    }
    rmsNorm(x, name, width, eps, { plusOne = false } = {}) {
        const w = this.b.weight(this.tensor(`${name}.weight`, [width]));
        return this.b.norm(x, { kind: "rms", eps, plusOne: plusOne || undefined }, w);
    }
    /** (…, heads · dim) → (…, heads, dim) */
    heads(x, heads, dim) {
        return this.b.reshape(x, [heads, dim], 1);
    }
    /** (…, heads, dim) → (…, heads · dim) */
    joinHeads(x, heads, dim) {
        return this.b.reshape(x, [heads * dim], 2);
    }
    rotary(x, rope, pairs = "half") {
        return this.b.rotary(x, this.positions, { ...rope, pairs }, rope.beyond ? this.#wholeLength() : null);
    }
    /** Causal attention: q (…, H, D), k (…, G, D), v (…, G, E) → (…, H · E). How it is cached is a pass's business. */
    attention(q, k, v, options) {
        const out = this.b.attention({ q, k, v, positions: this.positions, slots: this.slots }, options);
        const [heads, width] = out.type.shape.slice(-2);
        return this.joinHeads(out, heads, width);
    }
    embedding(make) {
        return this.b.block("embedding", make);
    }
    /** The blocks in order; each gets its number and the stream so far. */
    blocks(count, x, make) {
        let stream = x;
        for (let index = 0; index < count; index++) {
            const entering = stream;
            stream = this.b.block(`block_${index}`, () => make(index, entering));
        }
        return stream;
    }
    /** The last norm and the head, for the rows that are asked for; gives the finished graph. */
    head(x, make) {
        const outputs = this.b.dim("outputs", { min: 0, max: MANY });
        const rows = this.b.input("rows", "i32", [outputs]);
        const logits = this.b.block("lm_head", () => make(this.b.pick(x, rows)));
        this.b.output(logits, "logits");
        return this.b.finish();
    }
    /** The head's linear: the embedding's `table` when they are tied, else a tensor outside the prefixed module. */
    logits(x, width, vocab, { table, name = "lm_head", bias = false } = {}) {
        const own = (suffix, shape) => ({
            op: "tensor",
            name: `${name}.${suffix}`,
            shape,
        });
        const weight = table === undefined ? own("weight", [vocab, width]) : this.tensor(table, [vocab, width]);
        return this.b.linear(x, this.b.weight(weight), bias ? this.b.weight(own("bias", [vocab])) : null);
    }
    /** Length of the whole prompt that each token belongs to: only frequencies that depend on it ask. */
    #wholeLength() {
        this.#reach ??= this.b.input("reach", "i32", ["tokens"]);
        return this.#reach;
    }
}
//# sourceMappingURL=decoder.js.map