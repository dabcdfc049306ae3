import { type Graph, meshCosts } from "@llm/core-ir";
import { TargetError } from "@llm/target";
import {
  chooseMesh,
  DEFAULT_WORK,
  type DescribedDevice,
  devicesOf,
  type Mesh,
  type MeshChoice,
  meshText,
  parseMesh,
} from "@llm/target/mesh";
import { lengthFor } from "../length.ts";
import { type Bm1684xOptions, HEAD_BITS, WEIGHT_BITS } from "../options.ts";
import { CHIP } from "./chip.ts";

/** How many chips a board or a host has. */
const COUNTS = [1, 2, 4, 8];

/** Bits of a group's scale and zero point. */
const SHARED_BITS = 16 + 8;

/** How chips share a model; where nobody said how, what it was chosen among. */
export interface Sharing {
  /** `mp` chips that share each layer, or `pp` among which layers are spread. */
  readonly mesh: Mesh;
  readonly choice?: MeshChoice;
}

/** As `--mesh` says, or else for `--num-device` chips whichever way makes more tokens a second. */
export function sharingOf(model: Graph, options: Bm1684xOptions): Sharing {
  const { numDevice } = options;
  if (!COUNTS.includes(numDevice))
    throw new TargetError("option-invalid", `--num-device ${numDevice}: it is 1, 2, 4 or 8`);
  if (options.mesh !== undefined) return { mesh: asSaid(model, parseMesh(options.mesh), numDevice) };
  if (numDevice === 1) return { mesh: { dp: 1, mp: 1, pp: 1 } };
  const meshes = [
    { dp: 1, mp: numDevice, pp: 1 },
    { dp: 1, mp: 1, pp: numDevice },
  ];
  const refusals = meshes.map((mesh) => refusal(model, mesh));
  const able = meshes.filter((_, i) => refusals[i] === undefined);
  if (able.length === 0) throw new TargetError("option-invalid", `--num-device ${numDevice}: ${refusals.join("; ")}`);
  const { device, work } = describeBm1684x(options, model);
  const choice = chooseMesh(
    model,
    device,
    { ...DEFAULT_WORK, ...work, context: lengthFor(model, options) },
    { devices: numDevice, runs: (mesh) => able.some((one) => meshText(one) === meshText(mesh)) },
  );
  return { mesh: (choice.chosen ?? choice.plans[0]!).mesh, choice };
}

/** How many chips share a copy of the model by what options say: a mesh that is settled says it, too. */
export function chipsOf({ mesh, numDevice }: Pick<Bm1684xOptions, "mesh" | "numDevice">): number {
  return mesh === undefined ? numDevice : sharing(parseMesh(mesh));
}

/** How many copies of the model there are, each with chips and slots of its own. */
export function copiesOf({ mesh }: Pick<Bm1684xOptions, "mesh">): number {
  return mesh === undefined ? 1 : parseMesh(mesh).dp;
}

function sharing({ mp, pp }: Mesh): number {
  return mp * pp;
}

/** What planning a mesh goes by. */
export function describeBm1684x(options: Bm1684xOptions, model: Graph): DescribedDevice {
  const { mode, qGroupSize, numDevice, ctxLen, batchSize } = options;
  const codeBits = (bits: number) => bits + SHARED_BITS / qGroupSize;
  const widths =
    mode === "F16" ? { weightBits: 16 } : { weightBits: codeBits(WEIGHT_BITS[mode]), headBits: codeBits(HEAD_BITS) };
  return {
    device: {
      name: CHIP.name,
      memory: CHIP.memoryBytes,
      reserve: CHIP.reservedBytes,
      bandwidth: CHIP.bandwidth,
      compute: CHIP.compute,
      link: CHIP.link,
      most: numDevice > 1 ? numDevice : COUNTS.at(-1)!,
    },
    work: { ...widths, tableBits: 16, batch: batchSize, context: ctxLen, chunk: ctxLen },
    // Copies are for people to ask for: how many chips are to spare, they know.
    runs: (mesh) =>
      mesh.dp === 1 &&
      (shapeRefusal(mesh) ?? refusal(model, mesh)) === undefined &&
      (numDevice === 1 || devicesOf(mesh) === numDevice),
  };
}

function asSaid(model: Graph, mesh: Mesh, numDevice: number): Mesh {
  const text = meshText(mesh);
  const wrong = shapeRefusal(mesh) ?? refusal(model, mesh);
  if (wrong !== undefined) throw new TargetError("option-invalid", `--mesh ${text}: ${wrong}`);
  const count = sharing(mesh);
  if (numDevice !== 1 && numDevice !== count)
    throw new TargetError(
      "option-invalid",
      `--mesh ${text} is ${count} chips${mesh.dp > 1 ? " a copy" : ""}, and --num-device says ${numDevice}`,
    );
  return mesh;
}

function shapeRefusal(mesh: Mesh): string | undefined {
  const { mp, pp } = mesh;
  if (mp > 1 && pp > 1) return `chips either share each layer (1x${mp * pp}) or have some each (1x1x${mp * pp})`;
  return COUNTS.includes(mp * pp) ? undefined : `${mp * pp} chips: it is 1, 2, 4 or 8`;
}

/** Why this model can't be on such a mesh. */
function refusal(model: Graph, { mp, pp }: Mesh): string | undefined {
  const blocks = model.blocks.filter(({ name }) => /^block_\d+$/.test(name)).length;
  if (blocks < pp) return `this model has ${blocks} blocks to share out`;
  if (mp === 1) return undefined;
  const costs = meshCosts(model, { mp }).filter(({ name }) => name.startsWith("block_"));
  const sums = costs.flatMap(({ talks }) => talks);
  if (costs[0]!.talks.length === 0) return `its layers are too small to be shared by ${mp} chips`;
  const isStream = ({ via, type }: (typeof sums)[number]) =>
    via === "all_reduce" && type.shape.at(-1) === costs[0]!.handed;
  // Sums of squares would leave the range of the 16 bits in which chips hand them on.
  return sums.every(isStream) ? undefined : "its layers have norms over what all chips make together";
}
