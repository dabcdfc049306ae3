import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { PanelsEvent } from "@llm/runtime-native/ort";
import { type Artefact, TargetError } from "@llm/target";
import { type Mesh, meshText, parseMesh } from "@llm/target/mesh";
import { MESH_FILE, MESH_UNIT, modelFile } from "../build/units.ts";
import { netOptions } from "../net-options.ts";
import { openModel, threadCount } from "../open.ts";
import { NET } from "../pipeline.ts";
import { MeshSession } from "./mesh-session.ts";
import { NetsModel } from "./nets-model.ts";
import { readScheduleFile } from "./read-schedule.ts";
import type { MeshSchedule } from "./schedule.ts";

/** How an artefact is to be run by workers; undefined where one process does it. */
export interface MeshToOpen {
  readonly mesh: Mesh;
  readonly schedule: MeshSchedule;
}

/** The mesh that is wanted of an artefact: how it is shared is fixed in it, how many copies there are is not. */
export async function meshOf(artefact: Artefact, wanted: string | undefined): Promise<MeshToOpen | undefined> {
  const schedule = (await readSchedule(artefact)) ?? { mp: 1, pp: 1, ...WHOLE };
  const { mp, pp } = schedule;
  const mesh = wanted === undefined ? { dp: 1, mp, pp } : parseMesh(wanted);
  if (mesh.mp !== mp || mesh.pp !== pp)
    throw new TargetError(
      "option-invalid",
      `--mesh ${meshText(mesh)}: this artefact was made for ${meshText({ dp: 1, mp, pp })}; only its first number is free`,
    );
  return mesh.dp * mp * pp === 1 ? undefined : { mesh, schedule };
}

/** Of an artefact with one net. */
const WHOLE = { places: [{ rank: 0, stage: 0, nets: [NET] }], talks: [], hands: [] };

/** Who runs what in an artefact of shards; undefined for one that isn't. */
export async function readSchedule({ folder, manifest }: Artefact): Promise<MeshSchedule | undefined> {
  if (!manifest.units.some(({ id }) => id === MESH_UNIT)) return undefined;
  return readScheduleFile(join(folder, MESH_FILE));
}

/** Where a net's model lies: shards have folders of their own. */
export function netFile(folder: string, net: string): string {
  return net === NET ? join(folder, modelFile(net)) : join(folder, net, modelFile(net));
}

export interface OpenMeshOptions {
  readonly batchSize: number;
  readonly threads: number;
  readonly context: number;
  readonly owner: string;
}

/** More workers than this, or than cores twice over, only wait for one another. */
const MOST_WORKERS = 16;

/** A session over workers, which share the threads that one process would have. */
export async function openMesh(
  { folder, manifest }: Artefact,
  { mesh, schedule }: MeshToOpen,
  { batchSize, threads, context, owner }: OpenMeshOptions,
  tell?: (event: PanelsEvent) => void,
): Promise<MeshSession> {
  const workers = mesh.dp * schedule.places.length;
  const most = Math.max(MOST_WORKERS, 2 * availableParallelism());
  if (workers > most)
    throw new TargetError(
      "option-invalid",
      `--mesh ${meshText(mesh)} is ${workers} workers; this machine takes ${most}`,
    );
  return MeshSession.open(
    {
      folder,
      schedule,
      threads: Math.max(1, Math.floor(threadCount(threads) / workers)),
      nets: Object.fromEntries(
        schedule.places.flatMap(({ nets }) => nets).map((net) => [net, netOptions(manifest, net)]),
      ),
      width: manifest.model.width,
      vocab: manifest.model.vocab,
      slots: Math.ceil(batchSize / mesh.dp),
      context,
      owner,
    },
    mesh.dp,
    tell,
  );
}

/** All shards in this process, one after another, as one model: for looking into it. */
export async function openTogether({ folder, manifest }: Artefact, schedule: MeshSchedule): Promise<NetsModel> {
  const nets = [];
  for (const id of togetherOrder(schedule))
    nets.push({ id, model: await openModel(netFile(folder, id), netOptions(manifest, id)) });
  return new NetsModel(nets, schedule);
}

/** Stage by stage, and in a stage every rank's first net, then every rank's second: each talk has all its terms by then. */
function togetherOrder({ places, pp }: MeshSchedule): readonly string[] {
  return Array.from({ length: pp }, (_, stage) => {
    const ranks = places.filter((place) => place.stage === stage).map(({ nets }) => nets);
    const most = Math.max(...ranks.map((nets) => nets.length));
    return Array.from({ length: most }, (__, at) => ranks.flatMap((nets) => nets.slice(at, at + 1))).flat();
  }).flat();
}
