import { basename, dirname, join } from "node:path";
import type { Artefact, FileInspection, FileKind, Json } from "@llm/target";
import { readNetsList } from "../session/nets-list.ts";
import { COMPILER } from "../tools/toolchain.ts";
import type { Bmodel, BmodelNet, BmodelTensor } from "./bmodel.ts";
import { readBmodel } from "./read-bmodel.ts";
import { vocabularyOf } from "./vocabulary.ts";

/** A .bmodel by itself, wherever it was compiled. */
export const bmodelFile: FileKind = { extension: ".bmodel", artefact, inspect };

async function artefact(file: string): Promise<Artefact> {
  const model = await readBmodel(file);
  const folder = dirname(file);
  // A model on several chips has a file for each, and one name is as good as another.
  const list = await readNetsList(folder, [basename(file)]);
  const block = model.nets.find(({ name }) => name.startsWith("block_cache_"))?.stages[0];
  return {
    folder,
    manifest: {
      schemaVersion: 1,
      target: "bm1684x",
      model: {
        name: basename(file, ".bmodel"),
        architecture: "unknown",
        vocab: await vocabularyOf(model, folder),
        width: block?.inputs[0]?.shape.at(-1) ?? 0,
        blocks: new Set(model.nets.flatMap(({ name }) => /^block_cache_\d+/.exec(name) ?? [])).size,
        context: block?.inputs.map(({ shape }) => shape[1] ?? 0).reduce((a, b) => Math.max(a, b), 0) ?? 0,
        parameters: 0,
      },
      options: {},
      tools: { [COMPILER]: model.version },
      checkpoint: "",
      units: [],
      files: await Promise.all((list?.bmodels ?? [basename(file)]).map((name) => listed(folder, name))),
      created: model.made,
    },
  };
}

async function listed(folder: string, path: string): Promise<{ path: string; bytes: number; sha256: string }> {
  const { bytes } = await readBmodel(join(folder, path));
  return { path, bytes, sha256: "" };
}

async function inspect(file: string): Promise<FileInspection> {
  const model = await readBmodel(file);
  return { kind: "bmodel", details: model as unknown as { readonly [key: string]: Json }, lines: linesOf(file, model) };
}

type Line = FileInspection["lines"][number];

function linesOf(file: string, { bytes, version, made, chip, devices, kernel, memory, nets }: Bmodel): readonly Line[] {
  const parts = (["weights", "instructions", "runtime", "io"] as const).map((part) => `${part} ${size(memory[part])}`);
  return [
    ["bmodel", `${file}, ${size(bytes)}`],
    ["chip", `${chip}${devices > 1 ? `, ${devices} of them` : ""}`],
    [
      "made",
      `${made && `${made} `}by ${version}${kernel ? `, with ${kernel.name}` : ", without the chip's own program"}`,
    ],
    ["on device", `${size(memory.total)}: ${parts.join(", ")}`],
    ...nets.flatMap(netLines),
  ];
}

function netLines({ name, addressMode, stages, cascade }: BmodelNet): readonly Line[] {
  return stages.map(({ inputs, outputs, weights, commands, dynamic }, stage): Line => {
    const facts = [
      `${size(weights?.bytes ?? 0)} of weights`,
      `${commands.compute + commands.move} commands (${size(commands.bytes)})`,
      ...(addressMode === "basic" ? [] : [addressMode]),
      ...(dynamic ? ["dynamic"] : []),
      ...(cascade ? [`part ${cascade.step} of ${cascade.main} on device ${cascade.device}`] : []),
    ];
    const shown = `${inputs.map(tensorText).join(", ")} → ${outputs.map(tensorText).join(", ")}; ${facts.join(", ")}`;
    return [stages.length > 1 ? `${name} #${stage}` : name, shown];
  });
}

function tensorText({ name, dtype, shape }: BmodelTensor): string {
  return `${name} ${dtype}[${shape.join(", ")}]`;
}

function size(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  const [unit, divisor] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / (divisor as number)).toPrecision(4)} ${unit}`;
}
