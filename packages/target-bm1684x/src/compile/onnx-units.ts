import { type Graph, type Net, type Program, parseGraph, printGraph } from "@llm/core-ir";
import { toOnnx, writeOnnx } from "@llm/exporter";
import type { Json, Unit, Work } from "@llm/target";
import { portsOf } from "../nets/net-ports.ts";

export const ONNX_KIND = "bm1684x-onnx@1";

/** What the vendor's own scripts read. */
const OPSET = 17;

interface OnnxSpec {
  readonly graph: string;
  readonly names: Readonly<Record<string, string>>;
}

/** The same nets as ONNX files, one each, for people who use the vendor's own scripts: those quantise for themselves. */
export function onnxUnits(program: Program): readonly Unit[] {
  return program.nets.map((net) => {
    const graph = withPlainWeights(net.graph);
    const spec: OnnxSpec = { graph: printGraph(graph), names: namesOf({ ...net, graph }) };
    return {
      id: net.id,
      kind: ONNX_KIND,
      stage: "export",
      spec: spec as unknown as Json,
      weights: graph.weights.map(({ expr }) => expr),
      after: [],
      makes: [`${net.id}.onnx`],
      needs: { ramBytes: 256 << 20, diskBytes: 0, cores: 1, tools: [] },
      place: "",
    };
  });
}

function withPlainWeights(graph: Graph): Graph {
  const plain = graph.weights.map(({ value, expr }) => ({ value, expr: expr.op === "encode" ? expr.of : expr }));
  return { ...graph, weights: plain };
}

/** Names of inputs and outputs by the ids they have in the graph. */
function namesOf(net: Net): Record<string, string> {
  const { graph } = net;
  const { inputs, outputs } = portsOf(net);
  const given = [...graph.inputs, ...graph.states.map(({ value }) => value)];
  const made = [...graph.outputs, ...graph.states.map(({ next }) => next)];
  return Object.fromEntries([
    ...given.map(({ id }, i) => [id, inputs[i]!.name]),
    ...made.map(({ id }, i) => [id, outputs[i]!.name]),
  ]);
}

/** Writes one net; weights stay in the checkpoint's own files where they can. */
export async function buildOnnx(unit: Unit, work: Work): Promise<void> {
  const { graph, names } = unit.spec as unknown as OnnxSpec;
  const written = await writeOnnx(toOnnx(parseGraph(graph), { opset: OPSET, names }), {
    folder: work.folder,
    name: unit.id,
    source: work.source,
    sync: false, // the engine flushes what a unit made
    signal: work.signal,
    progress: (done, total) => work.progress(done, total),
  });
  for (const { path, origin } of written.files) if (origin !== undefined) work.linked(path, origin);
}
