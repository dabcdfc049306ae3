import {
  type ActivationName,
  type Builder,
  corePasses,
  type Graph,
  type Op,
  programOf,
  rewriteGraph,
  runPipeline,
  type Value,
} from "@llm/core-ir";
import { readGolden } from "@llm/fixtures";
import { sizeOf } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { cpuTarget } from "./cpu-target.ts";
import { GROUP } from "./ort/packed-weights.ts";
import { type BuiltGolden, buildGolden, DEFAULTS, goldenGraph } from "./testing/open-golden.ts";
import { goldenReference } from "./testing/reference.ts";

const FORMATS = { int8: "matmulnbits8", int4: "matmulnbits4" } as const;

/** Ids of the scores that experts are chosen by. */
function scoresOf(graph: Graph): ReadonlySet<string> {
  return new Set(graph.ops.flatMap(({ kind, ins }) => (kind === "route" ? [ins[0]!.id] : [])));
}

/** The graph whose linears' and experts' weights are rounded to what the format holds, but for those that choose experts. */
function emulated(graph: Graph, format: keyof typeof FORMATS): Graph {
  const scores = scoresOf(graph);
  const routers = graph.ops.filter(({ kind, outs }) => kind === "linear" && scores.has(outs[0]!.id));
  const rules = routers.map(({ ins }) => ({ match: ins[1]!.id }));
  const params = { format: FORMATS[format], group: GROUP, symmetric: true, rules };
  return runPipeline(programOf(graph), [{ pass: "quantise", params }], { passes: corePasses }).nets[0]!.graph;
}

/** The same, with what is multiplied by them in 8 bits as well: a scale in float32 for each group, as the kernels have it. */
function withRoundedActivations(graph: Graph): Graph {
  const scores = scoresOf(graph);
  return rewriteGraph(graph, {
    op(op, b) {
      const [x, w, bias] = op.ins;
      if (op.kind === "experts") return [roundedExperts(b, op)];
      return op.kind === "linear" && !scores.has(op.outs[0]!.id)
        ? [b.linear(roundGroups(b, x!), w!, bias ?? undefined)]
        : undefined;
    },
  });
}

/** Each chosen expert's three products, with their left sides rounded. */
function roundedExperts(b: Builder, { ins, attrs }: Op): Value {
  const [x, weights, ids, gate, up, down] = ins as readonly Value[];
  const [, inner, width] = up!.type.shape as number[];
  const k = ids!.type.shape.at(-1) as number;
  const product = (w: Value, v: Value, rows: number) => b.reshape(b.matmul(b.gather(w, ids!), v), [k, rows], 3);
  const column = b.reshape(roundGroups(b, x!), [1, width!, 1], 1); // (…, 1, width, 1)
  const active = b.activation(product(gate!, column, inner!), attrs.fn as ActivationName);
  const hidden = roundGroups(b, b.mul(active, product(up!, column, inner!))); // (…, k, inner)
  const out = product(down!, b.reshape(hidden, [k, inner!, 1], 2), width!);
  const weighted = b.mul(out, b.reshape(weights!, [k, 1], 1));
  return b.reshape(b.reduce("sum", weighted, [-2]), [width!], 2);
}

function roundGroups(b: Builder, x: Value): Value {
  const columns = x.type.shape.at(-1) as number;
  const count = Math.ceil(columns / GROUP);
  const padded = b.pad(x, -1, { before: 0, after: count * GROUP - columns, value: 0 });
  const groups = b.reshape(padded, [count, GROUP], 1);
  const scale = b.scale(b.reduce("max", b.unary("abs", groups), [-1]), 1 / 127);
  const divisor = b.where(b.compare("eq", scale, b.scalar(0, x)), b.scalar(1, x), scale);
  // Adding and taking away 1.5 · 2²³ leaves the nearest whole number, as the processor rounds.
  const far = b.scalar(1.5 * 2 ** 23, x);
  const codes = b.sub(b.add(b.binary("div", groups, divisor), far), far);
  return b.slice(b.reshape(b.mul(codes, scale), [count * GROUP], 2), -1, 0, columns);
}

async function logits({ artefact }: BuiltGolden, ids: readonly number[]): Promise<Float32Array> {
  const session = await cpuTarget.open(artefact, DEFAULTS);
  const want = { kind: "logits", last: ids.length } as const;
  const [result] = await session.step([{ slot: 0, at: 0, tokens: Int32Array.from(ids), want }]);
  await session.close();
  return result!.logits!;
}

/** Mean over tokens of the Kullback-Leibler divergence of two distributions given as logits. */
function divergence(p: Float32Array, q: Float32Array, vocab: number): number {
  let total = 0;
  for (let at = 0; at < p.length; at += vocab) {
    const [lp, lq] = [p, q].map((x) => logSoftmax(x.subarray(at, at + vocab)));
    total += lp!.reduce((sum, x, i) => sum + Math.exp(x) * (x - lq![i]!), 0);
  }
  return total / (p.length / vocab);
}

function logSoftmax(x: Float32Array): Float32Array {
  const most = Math.max(...x);
  const sum = most + Math.log(x.reduce((total, v) => total + Math.exp(v - most), 0));
  return x.map((v) => v - sum);
}

// Heads of their own: a tied one is packed while the table it shares is not, which the emulating pass doesn't tell apart.
const DENSE = ["llama_gqa_llama3", "llama_headdim", "mistral_full"];
const EXPERTS = ["mixtral", "qwen2_moe", "qwen3_moe", "granitemoe", "deepseek_v2", "deepseek_v3"];
describe.each([...DENSE, ...EXPERTS])("%s", (name) => {
  const ids = readGolden(name).prompts[0]!.input_ids;

  test.each(["int8", "int4"] as const)("%s weights are those of the emulation", async (format) => {
    using exact = await buildGolden(name, { format, exact: true });
    const reference = await goldenReference(name, emulated(exact.graph, format), { slots: 1, context: 64 });
    const [expected] = reference.step([{ slot: 0, at: 0, tokens: ids }]);
    const actual = await logits(exact, ids);
    const worst = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - expected!.logits[i]!)), 0);
    expect(worst).toBeLessThan(1e-3);

    // Activations rounded to 8 bits: what the kernels do, said in the graph.
    using fast = await buildGolden(name, { format });
    const { vocab } = fast.artefact.manifest.model;
    const rounded = withRoundedActivations(emulated(fast.graph, format));
    const emulation = await goldenReference(name, rounded, { slots: 1, context: 64 });
    const [wanted] = emulation.step([{ slot: 0, at: 0, tokens: ids }]);
    const got = await logits(fast, ids);
    expect(divergence(wanted!.logits, got, vocab)).toBeLessThan(1e-4);
    // Which costs a little more than packed weights alone; where two experts are nearly as good, the other one may be chosen.
    expect(divergence(actual, got, vocab)).toBeLessThan(EXPERTS.includes(name) ? 5e-2 : 5e-3);
  });
});

test("packed files are as small as planned, and hold tables that are looked up in instead of the checkpoint's file", async () => {
  using built = await buildGolden("gpt_bigcode_mqa", { format: "int4" });
  const plan = (format: "fp32" | "int4") => cpuTarget.plan(built.graph, { ...DEFAULTS, format }).devices[0]!;
  const { weights, tables } = plan("int4");
  const { files } = built.artefact.manifest;
  const packed = files.find(({ path }) => path === "decoder.onnx.data")!.bytes;
  expect(files.some((file) => "link" in file)).toBe(false);
  expect(packed).toBeLessThan(1.25 * weights + tables!); // parts begin on pages of their own
  expect(packed).toBeGreaterThan(0.7 * weights + tables!); // what the kernels add is made at load
  expect(weights).toBeLessThan(plan("fp32").weights);
});

test("experts are planned as they are kept", () => {
  const graph = goldenGraph("granitemoe");
  const plan = (format: string) => cpuTarget.plan(graph, { ...DEFAULTS, format }).devices[0]!.weights;
  const inExperts = graph.ops.flatMap(({ kind, ins }) => (kind === "experts" ? ins.slice(3) : []));
  const floats = inExperts.reduce((sum, value) => sum + 4 * sizeOf(value!.type.shape as number[]), 0);
  expect(plan("fp32")).toBeGreaterThan(floats);
  expect(plan("int4")).toBeLessThan(plan("fp32") - floats / 2);
});
