import { openCheckpoint } from "@llm/checkpoint";
import { Builder, type Graph, interpret } from "@llm/core-ir";
import { goldenDir } from "@llm/fixtures";
import { read, type Tensor } from "@llm/tensor";

/** What a golden model's last norm, alone, makes of the stream after its last block; the stream, where it has no such norm. */
export async function afterFinalNorm(name: string, graph: Graph, stream: Float32Array): Promise<Float32Array> {
  const picked = graph.ops.find(({ kind }) => kind === "pick")!.outs[0]!;
  const norm = graph.ops.find(({ kind, ins }) => kind === "norm" && ins[0]!.id === picked.id);
  if (!norm) return stream;
  const b = new Builder("final norm");
  const width = norm.outs[0]!.type.shape.at(-1) as number;
  const x = b.input("x", "f32", [stream.length / width, width]);
  const weights = new Map<string, Tensor>();
  const checkpoint = await openCheckpoint(goldenDir(name));
  try {
    const operands = [];
    for (const value of norm.ins.slice(1)) {
      const expr = graph.weights.find((weight) => weight.value.id === value?.id)?.expr;
      const weight = expr && b.weight(expr);
      if (weight) weights.set(weight.id, await read(expr, checkpoint.weights, "f32"));
      operands.push(weight ?? null);
    }
    b.output(b.op("norm", [x, ...operands], norm.attrs), "normed");
  } finally {
    await checkpoint.close();
  }
  const inputs = { x: { dtype: "f32", shape: x.type.shape as number[], data: stream } } as const;
  return interpret(b.finish(), { inputs, weights }).outputs.normed!.data as Float32Array;
}
