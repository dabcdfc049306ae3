import type { AddressMode, BmrtDType } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import type { Bmodel, BmodelNet, BmodelStage, BmodelTensor, BmodelWeights, CommandCounts } from "./bmodel.ts";
import { Damaged, Flatbuffer, type Table } from "./flatbuffer.ts";
import { memoryOf } from "./memory.ts";

/** Versions are "2.2+v1.30.2-20260831", format and compiler; the schema says that a format only ever gains fields. */
const KNOWN_FORMAT = 2;

const DTYPES: readonly BmrtDType[] = ["f32", "f16", "i8", "u8", "i16", "u16", "i32", "u32", "bf16", "i4", "u4"];
const ADDRESS_MODES: readonly AddressMode[] = ["basic", "io-alone", "io-tag", "io-tag-fuse", "io-reloc"];

/** Numbers of fields, from the vendor's published schema (bmodel.fbs). */
const MODEL = { version: 1, time: 2, chip: 3, nets: 4, kernel: 6, devices: 7 } as const;
const NET = { name: 0, stages: 3, cascade: 4, addressMode: 5 } as const;
const CASCADE = { device: 0, step: 1, main: 2 } as const;
const STAGE = {
  inputs: 0,
  outputs: 1,
  contextBytes: 3,
  weights: 4,
  dynamic: 5,
  commands: 8,
  ir: 11,
  subnets: 12,
  contexts: 14,
  cores: 16,
  ioBytes: 18,
} as const;
const WEIGHTS = { check: 1, binary: 2, parts: 3 } as const;
const PART = { name: 0, offset: 1, bytes: 2 } as const;
const TENSOR = { name: 0, dtype: 1, bytes: 4, shapes: 5, scale: 7 } as const;
const COMMANDS = { compute: 0, move: 1, computeBinary: 2, moveBinary: 3 } as const;
const SUBNET = { commands: 1, cores: 14 } as const;
const CORE = { groups: 0 } as const;
const KERNEL = { name: 0, binary: 1 } as const;

/** Reads the description of a bmodel. */
export function parseModel(description: Uint8Array, fileBytes: number): Bmodel {
  const root = new Flatbuffer(description).root();
  const version = root.text(MODEL.version) ?? "";
  const format = Number(/^(?:B\.)?(\d+)\./.exec(version)?.[1] ?? Number.NaN);
  if (Number.isNaN(format)) throw new Damaged(`its version is ${printable(version)}`);
  if (format > KNOWN_FORMAT)
    throw new TargetError(
      "artefact-newer",
      `it is of format ${printable(version)}, newer than this program knows; update llm`,
    );
  const kernel = parseKernel(root.table(MODEL.kernel));
  const nets = root.tables(MODEL.nets).map((net) => parseNet(net));
  if (nets.length === 0) throw new Damaged("it has no nets");
  return {
    bytes: fileBytes,
    version,
    made: (root.text(MODEL.time) ?? "").trim(),
    chip: root.text(MODEL.chip) ?? "",
    devices: root.u32(MODEL.devices) || 1,
    nets,
    ...(kernel ? { kernel } : {}),
    memory: memoryOf(nets),
  };
}

/** Blanks when it was made: spaces of as many bytes, so that nothing moves. */
export function undate(description: Uint8Array): void {
  new Flatbuffer(description).root().bytes(MODEL.time)?.fill(0x20);
}

/** Where it was taken out, the vendor's tool leaves an entry of no bytes. */
function parseKernel(table: Table | undefined): Bmodel["kernel"] {
  const bytes = table?.pair(KERNEL.binary)?.[1] ?? 0;
  return table && bytes > 0 ? { name: table.text(KERNEL.name) ?? "", bytes } : undefined;
}

function parseNet(net: Table): BmodelNet {
  const cascade = net.table(NET.cascade);
  const mode = net.i32(NET.addressMode);
  const addressMode = ADDRESS_MODES[mode];
  if (addressMode === undefined)
    throw new TargetError("artefact-newer", `a net keeps its memory in a way that is not known (${mode}); update llm`);
  return {
    name: net.text(NET.name) ?? "",
    addressMode,
    ...(cascade
      ? {
          cascade: {
            device: cascade.u32(CASCADE.device),
            step: cascade.u32(CASCADE.step),
            main: cascade.text(CASCADE.main) ?? "",
          },
        }
      : {}),
    stages: net.tables(NET.stages).map(parseStage),
  };
}

function parseStage(stage: Table): BmodelStage {
  const weights = stage.table(STAGE.weights);
  const contexts = stage.u64s(STAGE.contexts);
  return {
    dynamic: stage.i32(STAGE.dynamic) !== 0,
    inputs: stage.tables(STAGE.inputs).map(parseTensor),
    outputs: stage.tables(STAGE.outputs).map(parseTensor),
    cores: stage.u32(STAGE.cores) || 1,
    ...(weights ? { weights: parseWeights(weights) } : {}),
    commands: countCommands(stage),
    // Where the list is there, it counts instead of the single size.
    runtimeBytes: contexts.length > 0 ? contexts.reduce((sum, bytes) => sum + bytes, 0) : stage.u64(STAGE.contextBytes),
    ioBytes: stage.u64(STAGE.ioBytes),
  };
}

function parseTensor(tensor: Table): BmodelTensor {
  const dtype = tensor.u32(TENSOR.dtype);
  const known = DTYPES[dtype];
  const name = tensor.text(TENSOR.name) ?? "";
  if (known === undefined)
    throw new TargetError("artefact-newer", `${printable(name)} has a type that is not known (${dtype})`);
  const [shape] = tensor.tables(TENSOR.shapes);
  return {
    name,
    dtype: known,
    shape: shape?.u64s(0) ?? [],
    bytes: tensor.u64(TENSOR.bytes),
    scale: tensor.f32(TENSOR.scale, 1),
  };
}

function parseWeights(weights: Table): BmodelWeights {
  const [start, bytes] = weights.pair(WEIGHTS.binary) ?? [0, 0];
  return {
    start,
    bytes,
    sha256: Buffer.from(weights.bytes(WEIGHTS.check) ?? []).toString("hex"),
    parts: weights.tables(WEIGHTS.parts).map((part) => ({
      name: part.text(PART.name) ?? "",
      offset: part.u64(PART.offset),
      bytes: part.u64(PART.bytes),
    })),
  };
}

/** Commands lie in the stage, or else in its parts or by core; what the chip's own program interprets has no count. */
function countCommands(stage: Table): CommandCounts {
  const together = stage.tables(STAGE.commands);
  const apart = () =>
    stage
      .tables(STAGE.subnets)
      .flatMap((subnet) => [
        ...subnet.tables(SUBNET.commands),
        ...subnet.tables(SUBNET.cores).flatMap((core) => core.tables(CORE.groups)),
      ]);
  const groups = together.length > 0 ? together : apart();
  const interpreted = stage.pair(STAGE.ir)?.[1] ?? 0;
  return groups.reduce(
    (sum, group) => ({
      compute: sum.compute + group.u32(COMMANDS.compute),
      move: sum.move + group.u32(COMMANDS.move),
      bytes: sum.bytes + commandBytes(group),
    }),
    { compute: 0, move: 0, bytes: interpreted },
  );
}

function commandBytes(group: Table): number {
  const binary = (field: number) => group.pair(field)?.[1] ?? 0;
  return binary(COMMANDS.computeBinary) + binary(COMMANDS.moveBinary);
}

/** A text from a file as a line may hold it. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
