import type { OnnxInitializer, OnnxModel, OnnxNode } from "@llm/exporter";
import { DTYPES, type DType, leavesOf, locate, type WeightExpr, type WeightSource } from "@llm/tensor";
import { BLOCK_ROWS, blockConstants } from "./block-rows.ts";

type WeightInitializer = Extract<OnnxInitializer, { readonly weight: WeightExpr }>;

/** How a table that is only looked up in can lie as it was published, and how its rows become float32. */
interface Narrow {
  /** Of a value. */
  readonly bytes: number;
  initializer(table: WeightInitializer): WeightInitializer;
  rows(node: OnnxNode): readonly OnnxNode[];
  readonly constants?: readonly OnnxInitializer[];
}

const halves = (dtype: "bf16" | "f16"): Narrow => ({
  bytes: DTYPES[dtype].bytes,
  initializer: (table) => ({ ...table, dtype }),
  rows: widened,
});

function blocks(format: keyof typeof BLOCK_ROWS): Narrow {
  const { values, bytes, rows } = BLOCK_ROWS[format];
  return {
    bytes: bytes / values,
    initializer({ name, shape: [count, columns], weight }) {
      const shape = [count!, columns! / values, bytes];
      return { name, dtype: "i8", shape, weight, packing: { format, part: "data" } };
    },
    rows: ({ inputs: [table, ids], outputs: [out] }) => rows(table!, ids!, out!),
    constants: blockConstants,
  };
}

const NARROW: Readonly<Record<string, Narrow>> = {
  bf16: halves("bf16"),
  f16: halves("f16"),
  q4_0: blocks("q4_0"),
  q8_0: blocks("q8_0"),
  q6_K: blocks("q6_K"),
};

/** In how many bytes a value of such a table lies in an artefact. */
export function tableValueBytes(expr: WeightExpr, source: Pick<WeightSource, "get"> | undefined): number {
  const formats = new Set(source ? leavesOf(expr).flatMap(({ name }) => source.get(name)?.format ?? []) : []);
  const [format, ...others] = formats;
  const narrow = format !== undefined && others.length === 0 ? NARROW[format] : undefined;
  return narrow?.bytes ?? DTYPES.f32.bytes;
}

/**
 * A model whose tables stay in 16 bits or less where the checkpoint has them so and they are only looked up in: rows become float32
 * after they were found, which changes no value. What would have to be rounded to fit isn't: 8-bit activations make a lot of little.
 */
export function withNarrowTables(model: OnnxModel, source: WeightSource): OnnxModel {
  const kinds = new Map<string, Narrow>();
  for (const table of tablesOf(model)) {
    const format = Object.keys(NARROW).find((name) => locate(table.weight, source, name as DType) !== undefined);
    if (format !== undefined) kinds.set(table.name, NARROW[format]!);
  }
  const constants = new Set([...kinds.values()].flatMap((kind) => kind.constants ?? []));
  return {
    ...model,
    initializers: [
      ...model.initializers.map((one) => kinds.get(one.name)?.initializer(one as WeightInitializer) ?? one),
      ...constants,
    ],
    nodes: model.nodes.flatMap((node) => (isLookup(node) && kinds.get(node.inputs[0]!)?.rows(node)) || [node]),
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
    { op: "Cast", inputs: [stored], outputs: [out!], attrs: { to: { dtype: "f32" } } },
  ];
}
