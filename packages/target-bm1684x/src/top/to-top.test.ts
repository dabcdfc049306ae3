import { Builder, type Graph, type Value } from "@llm/core-ir";
import { weights } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { toTop } from "./to-top.ts";

function graphOf(make: (b: Builder, x: Value) => Value): Graph {
  const b = new Builder("net");
  b.output(make(b, b.input("x", "f32", [1, 4, 64])), "y");
  return b.finish();
}

const say = (graph: Graph) =>
  toTop(graph, { name: "net", weightFile: "net.npz", inputs: ["input_states"], outputs: ["output_states"] });

/** Lines of ops, without inputs and leaves. */
const ops = (graph: Graph) =>
  say(graph)
    .text.split("\n")
    .filter((line) => line.includes('"top.') && !/Input|Weight|None/.test(line))
    .map((line) => line.trim());

describe("TOP text", () => {
  it("names inputs and outputs as asked, and lists the arrays it wants", () => {
    const { text, arrays } = say(
      graphOf((b, x) => b.linear(x, b.weight(weights.tensor("w", [128, 64])), b.weight(weights.tensor("b", [128])))),
    );
    expect(
      text,
    ).toBe(`module @net attributes {module.chip = "ALL", module.platform = "ONNX", module.state = "TOP_F32", module.top_run_mode = "STATIC", module.weight_file = "net.npz"} {
  func.func @main(%arg0: tensor<1x4x64xf32>) -> (tensor<1x4x128xf32>) {
    %0 = "top.Input"(%arg0) : (tensor<1x4x64xf32>) -> tensor<1x4x64xf32> loc("input_states")
    %1 = "top.Weight"() : () -> tensor<64x128xf32> loc("w.turned")
    %2 = "top.Weight"() : () -> tensor<128xf32> loc("b")
    %3 = "top.MatMul"(%0, %1, %2) : (tensor<1x4x64xf32>, tensor<64x128xf32>, tensor<128xf32>) -> tensor<1x4x128xf32> loc("output_states")
    return %3 : tensor<1x4x128xf32>
  }
}
`);
    expect(arrays.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["w.turned", "f32", [64, 128]],
      ["b", "f32", [128]],
    ]);
  });

  it("gives a packed linear its codes, scales and zero points", () => {
    const encoded = weights.encode(weights.tensor("w", [128, 64]), { format: "bm1684x_w4", group: 32 });
    const { text, arrays } = say(graphOf((b, x) => b.linear(x, b.weight(encoded))));
    expect(text).toContain("{right_transpose = true, q_group_size = 32 : i64, weight_bits = 4 : i64}");
    expect(arrays.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["w.codes", "u8", [128, 32]],
      ["w.scales", "f32", [128, 2]],
      ["w.zeros", "u8", [128, 2]],
    ]);
  });

  it("gives a product without a bias one of zeros, so that no residual is taken for it", () => {
    const { arrays } = say(graphOf((b, x) => b.add(x, b.linear(x, b.weight(weights.tensor("w", [64, 64]))))));
    expect(arrays.at(-1)).toMatchObject({ name: "0 × 64", from: { kind: "numbers", values: new Float32Array(64) } });
  });

  it("says norms whole, and what they have that the compiler's don't beside them", () => {
    const leaf = (b: Builder, name: string) => b.weight(weights.tensor(name, [64]));
    const rms = graphOf((b, x) => b.norm(x, { kind: "rms", eps: 1e-6, plusOne: true }, leaf(b, "g"), leaf(b, "s")));
    expect(ops(rms).map((line) => line.replace(/ :.*/, ""))).toEqual([
      '%3 = "top.RMSNorm"(%0, %1) {eps = 1.0e-6',
      '%4 = "top.Add"(%3, %2)',
    ]);
    expect(say(rms).arrays[0]).toMatchObject({ name: "g", from: { plus: 1 } });
    const bare = graphOf((b, x) => b.norm(x, { kind: "layer", eps: 1e-5 }));
    expect(ops(bare)[0]).toContain('"top.LayerNorm"(%0, %1, %none) {axis = 2 : si32, normalized_shape = [64]');
  });

  it("puts known numbers into attributes", () => {
    expect(ops(graphOf((b, x) => b.sub(b.constant(3), b.scale(x, -0.5))))).toEqual([
      '%1 = "top.MulConst"(%0) {const_val = -5.0e-1 : f64} : (tensor<1x4x64xf32>) -> tensor<1x4x64xf32> loc("binary")',
      '%2 = "top.SubConst"(%1) {const_val = 3.0e+0 : f64, is_reverse = true} : (tensor<1x4x64xf32>) -> tensor<1x4x64xf32> loc("output_states")',
    ]);
  });

  it("looks an integer up to calculate with it, in a table that also counts", () => {
    const b = new Builder("net");
    const at = b.input("positions", "i32", [1, 4]);
    const counted = b.expand(b.iota(4), [1, 4]);
    b.output(b.cast(b.concat([counted, at]), "f32"), "y");
    const { text, arrays } = say(b.finish());
    expect(arrays.map(({ shape }) => shape)).toEqual([[1, 4]]);
    expect(text).toContain('"top.Gather"(%1, %0) {axis = 1 : si32}');
    expect(text).toContain('"top.Concat"(%1, %3) {axis = 1 : si32}');
  });

  it("refuses what isn't of known size", () => {
    const b = new Builder("net");
    b.dim("seq", { min: 1, max: 9 });
    b.output(b.unary("tanh", b.input("x", "f32", ["seq"])), "y");
    expect(() => say(b.finish())).toThrow("x: seq has no size; run specialise before it");
  });

  it("escapes what a name may hold", () => {
    const { text } = say(graphOf((b, x) => b.mul(x, b.weight(weights.tensor('a"b\\c\n', [64])))));
    expect(text).toContain('loc("a\\22b\\5cc\\0a")');
  });
});
