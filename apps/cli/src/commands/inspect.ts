import {
  type CheckpointInspection,
  drawGraph,
  findTarget,
  type Inspection,
  inspect,
  planModel,
  writeGraphPage,
} from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes, count, seconds } from "../output/units.ts";
import { modelOptions } from "./model-options.ts";
import { fetchStage } from "./open-progress.ts";
import { checkOutput } from "./output-file.ts";

type Of<K extends Inspection["kind"]> = Extract<Inspection, { kind: K }>;

/** `llm inspect` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { html } = call.options;
  await checkOutput("--html", html);
  const fetching = fetchStage(call.args.model!, io);
  const found = await inspect(call.args.model!, { ...modelOptions(call, io), onProgress: fetching.onProgress });
  fetching.end();
  const graph = found.kind === "checkpoint" ? found.graph : undefined;
  const drawing = (["html", "graph"] as const).find((key) => call.options[key] && !call.settings.has(key));
  if (drawing && found.kind !== "checkpoint")
    throw new UsageError(`--${drawing} draws the graph of a checkpoint; there is none here`);
  if (graph && html !== undefined) {
    const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
    // What is left open is decided as it is for a run.
    const { options } = await planModel(call.args.model!, target, {
      ...modelOptions(call, io),
      targetOptions: call.targetOptions,
    });
    await writeGraphPage(html, drawGraph(call.args.model!, graph, target, options));
    io.note(`${html}: the graph as built and after every pass for ${target.id}; open it in a browser`);
  }
  const drawn = call.options.graph && html === undefined && graph ? await graphText(graph) : undefined;
  if (found.kind === "device-file") {
    const { kind, details, lines } = found.file;
    return { json: { kind, path: found.path, ...details }, text: rows(lines) };
  }
  if (found.kind !== "checkpoint") return { json: found, text: describe(found) };
  const { graph: _, ...json } = found;
  return {
    json: drawn === undefined ? json : { ...json, graph: drawn },
    text: drawn ?? describe(found),
    ...(found.problem === undefined ? {} : { problem: found.problem }),
  };
}

async function graphText(graph: NonNullable<CheckpointInspection["graph"]>): Promise<string> {
  const { printGraph } = await import("@llm/core-ir");
  return printGraph(graph);
}

function describe(found: Exclude<Inspection, Of<"device-file">>): string {
  switch (found.kind) {
    case "checkpoint":
      return rows(checkpointRows(found));
    case "onnx":
      return rows(onnxRows(found));
    case "artefact":
      return rows(artefactRows(found));
    case "tokenizer":
      return rows(tokenizerRows(found));
  }
}

type Row = readonly [name: string, value: string];

function checkpointRows(found: CheckpointInspection): Row[] {
  const { model } = found;
  const formats = Object.entries(found.formats).map(([format, tensors]) => `${format} (${tensors})`);
  return [
    ["checkpoint", found.path],
    ["layout", found.layout],
    ["model type", found.modelType ?? found.architectures.join(", ")],
    ...(model
      ? ([
          [
            "graph",
            `${model.architecture}: ${model.blocks} blocks, width ${model.width}, vocabulary ${model.vocab}, context ${model.context}`,
          ],
          ["parameters", count(model.parameters)],
        ] as Row[])
      : []),
    ["tensors", [String(found.tensors.length), bytes(found.bytes), ...formats].join(", ")],
    ...(found.quantisation ? [["quantised", found.quantisation] as Row] : []),
    ...(found.onnx.length > 0 ? [["onnx", found.onnx.join(", ")] as Row] : []),
    ["files", found.files.join(", ")],
    ...(found.unread.length > 0 ? [["not read", `config fields ${found.unread.join(", ")}`] as Row] : []),
    ["fingerprint", found.fingerprint],
  ];
}

function onnxRows(found: Of<"onnx">): Row[] {
  const value = ({ name, type, shape }: { name: string; type: string; shape: readonly (number | string)[] }) =>
    `${name} ${type}[${shape.join(", ")}]`;
  return [
    ["onnx", found.path],
    ["graph", found.name],
    ["made by", `${found.producer} ${found.producerVersion}`.trim()],
    [
      "opsets",
      Object.entries(found.opsets)
        .map(([domain, version]) => `${domain || "ai.onnx"} ${version}`)
        .join(", "),
    ],
    ["inputs", found.inputs.map(value).join(", ")],
    ["outputs", found.outputs.map(value).join(", ")],
    ["ops", found.ops.map(({ op, count }) => `${op} (${count})`).join(", ")],
    [
      "weights",
      `${found.initializers.length}, ${bytes(found.initializers.reduce((sum, { bytes }) => sum + bytes, 0))} inside the file`,
    ],
    ...found.externalFiles.map(
      ({ location, tensors, bytes: size }): Row => ["beside it", `${location}: ${tensors} tensors, ${bytes(size)}`],
    ),
  ];
}

function artefactRows({ path, manifest }: Of<"artefact">): Row[] {
  const { model, target, files, units, tools, created } = manifest;
  const own = files.filter((file) => "sha256" in file);
  const linked = files.filter((file) => "link" in file);
  const size = (list: readonly { bytes: number }[]) => bytes(list.reduce((sum, file) => sum + file.bytes, 0));
  return [
    ["artefact", path],
    ["target", target],
    ["model", `${model.name}: ${model.architecture}, ${count(model.parameters)} parameters, context ${model.context}`],
    [
      "made",
      `${created}, with ${
        Object.entries(tools)
          .map(([tool, version]) => `${tool} ${version}`)
          .join(", ") || "nothing else"
      }`,
    ],
    ["units", units.map(({ id, seconds: took }) => `${id} (${seconds(took)})`).join(", ")],
    ["files", `${own.length}, ${size(own)}; ${linked.length} linked, ${size(linked)}`],
  ];
}

function tokenizerRows(found: Of<"tokenizer">): Row[] {
  return [
    ["tokenizer", found.path],
    ["vocabulary", String(found.vocabSize)],
    [
      "special",
      Object.entries(found.special)
        .map(([role, token]) => `${role} ${token}`)
        .join(", "),
    ],
    ["chat", found.chatTemplates.length > 0 ? found.chatTemplates.join(", ") : "no template"],
  ];
}

function rows(list: readonly Row[]): string {
  const width = Math.max(...list.map(([name]) => name.length));
  return list.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
