import { memorySource, type Tensor, type WeightSource } from "@llm/tensor";
import { Builder } from "../builder.ts";
import type { Graph, Value } from "../graph.ts";
import { randomFloats, randomOf } from "./random.ts";

/** A small decoder made at random, of what models are made of, and its weights. */
export interface RandomModel {
  readonly graph: Graph;
  readonly source: WeightSource;
  readonly vocab: number;
  /** What it is made of, for a failing test to say. */
  readonly made: string;
}

/** Sizes are odd on purpose: few of them divide by anything. */
export function randomModel(seed: number): RandomModel {
  return new Maker(seed).make();
}

type Shape = ReturnType<typeof shapeOf>;

interface Choices {
  int(from: number, to: number): number;
  coin(what: string): boolean;
  pick<const T extends string>(...of: readonly T[]): T;
  made(what: string): void;
}

function shapeOf(width: number, choose: Choices) {
  const groups = choose.int(1, 4);
  const [heads, dim] = [groups * choose.int(1, 3), 2 * choose.int(1, 4)];
  choose.made(`${heads} heads over ${groups}, ${dim} wide`);
  return {
    width,
    groups,
    heads,
    dim,
    fused: choose.pick("apart", "q|k|v", "by group"),
    parallel: choose.coin("parallel"),
    kind: choose.pick("layer", "rms"),
    bias: choose.coin("biases"),
    norms: choose.pick("no norms", "norms of heads", "norms over all heads"),
    places: choose.pick("no rotation", "rotation", "alibi"),
    mlp: choose.pick("plain", "gated", "fused gate", "experts"),
    clip: choose.coin("clip"),
    after: choose.coin("norm after"),
  };
}

class Maker implements Choices {
  readonly #random: () => number;
  readonly #tensors: Record<string, Tensor> = {};
  readonly #made: string[] = [];
  readonly #b: Builder;
  readonly #positions: Value;
  readonly #slots: Value;
  readonly #ids: Value;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.#b = new Builder(`random${seed}`);
    const tokens = this.#b.dim("tokens", { min: 1, max: 64 });
    this.#b.dim("context", { min: 1, max: 64 });
    [this.#ids, this.#positions, this.#slots] = ["ids", "positions", "slots"].map((name) =>
      this.#b.input(name, "i32", [tokens]),
    ) as [Value, Value, Value];
  }

  make(): RandomModel {
    const b = this.#b;
    const [vocab, width] = [this.int(13, 40), this.int(3, 9) * 2];
    const tied = this.coin("tied");
    const stream = b.block("embedding", () => {
      const found = b.embed(this.#weight("table", [vocab, width]), this.#ids);
      if (!this.coin("learned positions")) return found;
      return b.add(found, b.embed(this.#weight("places", [70, width]), this.#positions, { offset: 2 }));
    });
    const shape = shapeOf(width, this);
    let x = stream;
    for (let layer = 0; layer < this.int(1, 3); layer++)
      x = b.block(`block_${layer}`, () => this.#block(x, layer, shape));
    const rows = b.input("rows", "i32", [b.dim("outputs", { min: 0, max: 64 })]);
    const logits = b.block("lm_head", () => {
      const last = this.#norm(b.pick(x, rows), "last", width);
      const head = tied ? this.#weight("table", [vocab, width]) : this.#weight("head", [vocab, width]);
      const out = b.linear(last, head, this.coin("head bias") ? this.#weight("head.bias", [vocab]) : null);
      return this.coin("soft cap on logits") ? b.softcap(out, 3) : b.scale(out, 0.5);
    });
    b.output(logits, "logits");
    return { graph: b.finish(), source: memorySource(this.#tensors), vocab, made: this.#made.join(", ") };
  }

  #block(x: Value, layer: number, shape: Shape): Value {
    const b = this.#b;
    const { width, parallel, after } = shape;
    const before = this.#norm(x, `norm${layer}`, width, shape.kind);
    const closing = (y: Value, name: string) => (after ? this.#norm(y, `${name}${layer}`, width, shape.kind) : y);
    const attended = closing(this.#attention(before, layer, shape), "after");
    if (parallel) return b.add(b.add(x, attended), this.#mlp(before, layer, shape));
    const middle = b.add(x, attended);
    return b.add(
      middle,
      closing(this.#mlp(this.#norm(middle, `second${layer}`, width, shape.kind), layer, shape), "end"),
    );
  }

  #attention(x: Value, layer: number, shape: Shape): Value {
    const b = this.#b;
    const { width, heads, groups, dim, fused, bias, clip, norms, places } = shape;
    const each = heads / groups;
    const clipped = (y: Value) => (clip ? b.clip(y, { min: -2, max: 2 }) : y);
    let parts: readonly Value[]; // (tokens, heads · dim), then two of (tokens, groups · dim)
    if (fused === "apart")
      parts = [heads, groups, groups].map((count, i) =>
        clipped(this.#linear(x, `${"qkv"[i]}${layer}`, width, count * dim, bias)),
      );
    else {
      const all = clipped(this.#linear(x, `qkv${layer}`, width, (heads + 2 * groups) * dim, bias));
      parts =
        fused === "q|k|v"
          ? b.split(all, [heads * dim, groups * dim, groups * dim])
          : b
              .split(b.reshape(all, [groups, each + 2, dim], 1), [each, 1, 1], -2)
              .map((part, i) => b.reshape(part, [(i === 0 ? heads : groups) * dim], 3));
    }
    const [q, k, v] = parts.map((part, i) => {
      const count = i === 0 ? heads : groups;
      const flat =
        i < 2 && norms === "norms over all heads"
          ? this.#norm(part, `flat${i}.${layer}`, count * dim, shape.kind)
          : part;
      const split = b.reshape(flat, [count, dim], 1);
      const normed =
        i < 2 && norms === "norms of heads" ? this.#norm(split, `each${i}.${layer}`, dim, shape.kind) : split;
      const freqs = Array.from({ length: dim / 2 }, (_, n) => 1 / 10 ** n);
      return i < 2 && places === "rotation"
        ? b.rotary(normed, this.#positions, { dims: dim, pairs: "half", freqs })
        : normed;
    }) as [Value, Value, Value];
    const slopes = Array.from({ length: heads }, (_, h) => 0.5 ** h);
    const alibi = places === "alibi" ? { alibi: { slopes, anchor: "relative" as const } } : {};
    const window = layer % 2 === 1 ? { window: 3 } : {};
    const out = b.attention(
      { q, k, v, positions: this.#positions, slots: this.#slots },
      { scale: 0.4, ...alibi, ...window },
    );
    return this.#linear(b.reshape(out, [heads * dim], 2), `o${layer}`, heads * dim, width, bias);
  }

  #mlp(x: Value, layer: number, { width, mlp, bias }: Shape): Value {
    const b = this.#b;
    const inner = this.int(5, 17);
    if (mlp === "experts") {
      const count = this.int(2, 5);
      const scores = this.#linear(x, `router${layer}`, width, count, false);
      const routed = b.route(scores, { score: "softmax", order: "score-topk", k: 2, renorm: true });
      const of = (name: string, shape: readonly number[]) => this.#weight(`${name}${layer}`, shape);
      const made = b.experts(
        x,
        routed,
        {
          gate: of("gate", [count, inner, width]),
          up: of("up", [count, inner, width]),
          down: of("down", [count, width, inner]),
        },
        "silu",
      );
      return b.add(
        made,
        this.#linear(
          b.activation(this.#linear(x, `s${layer}`, width, inner, bias), "gelu"),
          `t${layer}`,
          inner,
          width,
          bias,
        ),
      );
    }
    if (mlp === "plain")
      return this.#linear(
        b.activation(this.#linear(x, `up${layer}`, width, inner, bias), "gelu"),
        `down${layer}`,
        inner,
        width,
        bias,
      );
    const [gate, up] =
      mlp === "gated"
        ? [this.#linear(x, `gate${layer}`, width, inner, bias), this.#linear(x, `up${layer}`, width, inner, bias)]
        : b.split(this.#linear(x, `both${layer}`, width, 2 * inner, bias), [inner, inner]);
    return this.#linear(b.glu(gate!, up!, "silu"), `down${layer}`, inner, width, bias);
  }

  #linear(x: Value, name: string, from: number, to: number, bias: boolean): Value {
    return this.#b.linear(x, this.#weight(name, [to, from]), bias ? this.#weight(`${name}.bias`, [to]) : null);
  }

  #norm(x: Value, name: string, width: number, kind: "rms" | "layer" = "rms"): Value {
    return this.#b.norm(x, { kind, eps: 1e-5 }, this.#weight(name, [width]));
  }

  #weight(name: string, shape: readonly number[]): Value {
    this.#tensors[name] ??= randomFloats(this.#random, shape);
    return this.#b.weight({ op: "tensor", name, shape });
  }

  made(what: string): void {
    this.#made.push(what);
  }

  int(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }

  coin(what: string): boolean {
    const yes = this.#random() < 0.5;
    if (yes) this.#made.push(what);
    return yes;
  }

  pick<const T extends string>(...of: readonly T[]): T {
    const chosen = of[this.int(0, of.length - 1)]!;
    this.#made.push(chosen);
    return chosen;
  }
}
