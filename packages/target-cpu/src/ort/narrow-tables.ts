import type { OnnxInitializer, OnnxModel, OnnxNode } from "@llm/exporter";
import { DTYPES, type DType, leavesOf, locate, type WeightExpr, type WeightSource } from "@llm/tensor";

type WeightInitializer = Extract<OnnxInitializer, { readonly weight: WeightExpr }>;

/** What a table that is only looked up in can lie in as it is. */
const HALVES: readonly DType[] = ["bf16", "f16"];

/** In how many bytes a value of such a table lies in an artefact. */
export function tableValueBytes(expr: WeightExpr, source: Pick<WeightSource, "get"> | undefined): number {
  const formats = source ? leavesOf(expr).flatMap(({ name }) => source.get(name)?.format ?? []) : [];
  const halves = formats.length > 0 && formats.every((format) => HALVES.includes(format as DType));
  return halves ? DTYPES.f16.bytes : DTYPES.f32.bytes;
}

/**
 * A model whose tables stay halves where the checkpoint has them so and they are only looked up in: rows are widened after they
 * were found, which changes no value. What is of blocks isn't rounded to halves: 8-bit activations make a lot of little.
 */
export function withNarrowTables(model: OnnxModel, source: WeightSource): OnnxModel {
  const kinds = new Map<string, DType>();
  for (const table of tablesOf(model)) {
    const dtype = HALVES.find((half) => locate(table.weight, source, half) !== undefined);
    if (dtype !== undefined) kinds.set(table.name, dtype);
  }
  return {
    ...model,
    initializers: model.initializers.map((one) => {
      const dtype = kinds.get(one.name);
      return dtype === undefined ? one : { ...(one as WeightInitializer), dtype };
    }),
    nodes: model.nodes.flatMap((node) => (isLookup(node) && kinds.has(node.inputs[0]!) ? widened(node) : [node])),
  };
}

function tablesOf({ initializers, nodes }: OnnxModel): readonly WeightInitializer[] {
  const others = new Set(nodes.flatMap((node) => (isLookup(node) ? node.inputs.slice(1) : node.inputs)));
  const lookedUp = new Set(nodes.filter(isLookup).map(({ inputs }) => inputs[0]));
  return initializers.filter(
    (one): one is WeightInitializer =>
      "weight" in one &&
      one.dtype === "f32" &&
      one.packing === undefined &&
      lookedUp.has(one.name) &&
      !others.has(one.name),
  );
}

function isLookup({ op, domain = "" }: OnnxNode): boolean {
  return op === "Gather" && domain === "";
}

function widened(node: OnnxNode): readonly OnnxNode[] {
  const [out] = node.outputs;
  const stored = `${out}:stored`;
  return [
    { ...node, outputs: [stored] },
    {
      op: "Cast",
      ...(node.name ? { name: `${node.name}:widened` } : {}),
      inputs: [stored],
      outputs: [out!],
      attrs: { to: { dtype: "f32" } },
    },
  ];
}
