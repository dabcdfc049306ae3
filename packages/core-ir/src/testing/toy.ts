import { Builder } from "../builder.ts";
import type { Graph, Value } from "../graph.ts";

export interface ToyOptions {
  readonly blocks?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly groups?: number;
  readonly inner?: number;
  readonly vocab?: number;
}

/** A small decoder with rotary positions and a gated MLP, in canonical packed form. */
export function toyDecoder(options: ToyOptions = {}): Graph {
  const { blocks = 2, width = 8, heads = 2, groups = 1, inner = 12, vocab = 11 } = options;
  const dim = width / heads;
  const b = new Builder("toy");
  const tokens = b.dim("tokens", { min: 1, max: 1024 });
  b.dim("context", { min: 1, max: 64 });
  const ids = b.input("ids", "i32", [tokens]);
  const positions = b.input("positions", "i32", [tokens]);
  const slots = b.input("slots", "i32", [tokens]);
  const tensor = (name: string, ...shape: number[]): Value => b.weight({ op: "tensor", name, shape });
  const linear = (x: Value, name: string, from: number, to: number): Value => b.linear(x, tensor(name, to, from));
  const norm = (x: Value, name: string): Value => b.norm(x, { kind: "rms", eps: 1e-6 }, tensor(name, width));
  const freqs = Array.from({ length: dim / 2 }, (_, i) => 0.1 ** i);

  let x = b.block("embedding", () => b.embed(tensor("embed", vocab, width), ids));
  for (let i = 0; i < blocks; i++)
    x = b.block(`block_${i}`, () => {
      const n = norm(x, `${i}.norm1`);
      const split = (y: Value, count: number) => b.reshape(y, [count, dim], 1);
      const turn = (y: Value) => b.rotary(y, positions, { dims: dim, pairs: "half", freqs });
      const [q, k, v] = [
        split(linear(n, `${i}.q`, width, width), heads),
        split(linear(n, `${i}.k`, width, groups * dim), groups),
        split(linear(n, `${i}.v`, width, groups * dim), groups),
      ] as const;
      const attended = b.attention({ q: turn(q), k: turn(k), v, positions, slots }, { scale: dim ** -0.5 });
      const middle = b.add(x, linear(b.reshape(attended, [width], 2), `${i}.o`, width, width));
      const m = norm(middle, `${i}.norm2`);
      const gated = b.glu(linear(m, `${i}.gate`, width, inner), linear(m, `${i}.up`, width, inner), "silu");
      return b.add(middle, linear(gated, `${i}.down`, inner, width));
    });
  const outputs = b.dim("outputs", { min: 0, max: 1024 });
  const rows = b.input("rows", "i32", [outputs]);
  b.output(
    b.block("lm_head", () => linear(norm(b.pick(x, rows), "norm"), "head", width, vocab)),
    "logits",
  );
  return b.finish();
}
