import { type Artefact, TargetError } from "@llm/target";
import { parseMesh } from "@llm/target/mesh";
import { madeWith } from "./made-with.ts";
import type { Aic100Options } from "./options.ts";
import { CARD_FACTS, type Card } from "./plan/cards.ts";

/** Cores of a device, unless an option or a card says otherwise; the recipe and the library count on as many. */
const DEFAULT_CORES = 16;

type Said = Pick<Aic100Options, "socs" | "numDevice" | "deviceGroup" | "mesh">;

/** How many devices share the model by the options that say it, which have to agree; undefined where none does. */
export function saidCount({ socs, numDevice, deviceGroup, mesh }: Said): number | undefined {
  if (new Set(deviceGroup).size < deviceGroup.length)
    throw invalid(`--device-group ${deviceGroup.join(",")}: one is named twice`);
  const said = (
    [
      [`--socs ${socs}`, socs],
      [`--num-device ${numDevice}`, numDevice],
      [`--device-group ${deviceGroup.join(",")}`, deviceGroup.length || undefined],
      [`--mesh ${mesh}`, mesh === undefined ? undefined : meshCount(mesh)],
    ] as const
  ).filter(([, count]) => count !== undefined);
  const other = said.find(([, count]) => count !== said[0]![1]);
  if (other)
    throw invalid(`${said[0]![0]} and ${other[0]} disagree: each says how many devices share the model; leave one out`);
  return said[0]?.[1];
}

/** Copies alone say nothing of how each is shared. */
function meshCount(mesh: string): number | undefined {
  const { dp, mp } = parseMesh(mesh);
  return dp > 1 && mp === 1 ? undefined : mp;
}

/** How many devices share the model: as many as are said, else those of the card. */
export function sharedBy(options: Said & Pick<Aic100Options, "card">): number {
  return saidCount(options) ?? cardOf(options).shared;
}

/** What is planned and compiled for: a Standard card where none is named. */
export function cardOf({ card = "standard" }: Pick<Aic100Options, "card">): Card {
  return CARD_FACTS[card];
}

/** Cores of each device that the model takes. */
export function coresOf({ card, numCores }: Pick<Aic100Options, "card" | "numCores">): number {
  if (card === undefined) return numCores ?? DEFAULT_CORES;
  const { title, cores } = CARD_FACTS[card];
  if (numCores !== undefined && numCores > cores)
    throw invalid(`--num-cores ${numCores}: ${title} has ${cores} in each SoC`);
  return numCores ?? cores;
}

/** How many copies of a program are run: the first number of a mesh. */
export function copiesOf(artefact: Artefact, { mesh = madeWith(artefact).mesh }: Pick<Aic100Options, "mesh">): number {
  return mesh === undefined ? 1 : parseMesh(mesh).dp;
}

/**
 * The devices that run a program, by copy: those that are named, else those that it was compiled for by number, else the first
 * ones. One number is the first of as many as are needed.
 */
export function devicesFor(artefact: Artefact, options: Aic100Options): readonly (readonly number[])[] {
  const { device, deviceGroup } = options;
  if (device.length > 0 && deviceGroup.length > 0 && device.join() !== deviceGroup.join())
    throw invalid(`--device ${device.join(",")} and --device-group ${deviceGroup.join(",")}: leave one of them out`);
  const named = deviceGroup.length > 0 ? deviceGroup : device;
  const compiled = madeWith(artefact);
  const copies = copiesOf(artefact, options);
  // What others compiled doesn't say how many it is for: the runtime does, where it is loaded.
  if (compiled.deviceGroup === undefined) return divided(named.length > 0 ? named : firstOf(copies), copies);
  const { mesh: _, ...of } = compiled;
  const count = sharedBy({ ...of, deviceGroup: compiled.deviceGroup });
  const [first = compiled.deviceGroup[0] ?? 0] = named;
  if (named.length === 0 && copies === 1 && compiled.deviceGroup.length > 0) return [compiled.deviceGroup];
  if (deviceGroup.length === 0 && named.length <= 1) return divided(firstOf(count * copies, first), copies);
  if (named.length !== count * copies)
    throw invalid(
      `this program was compiled for ${count === 1 ? "one device" : `${count} devices`}${copies > 1 ? `, of which ${copies} copies run` : ""}: name ${count * copies}, not ${named.join(",")}`,
    );
  return divided(named, copies);
}

function firstOf(count: number, first = 0): readonly number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

function divided(devices: readonly number[], copies: number): readonly (readonly number[])[] {
  if (devices.length % copies !== 0) throw invalid(`${devices.length} devices can't be divided among ${copies} copies`);
  const each = devices.length / copies;
  return Array.from({ length: copies }, (_, copy) => devices.slice(copy * each, (copy + 1) * each));
}

function invalid(message: string): TargetError {
  return new TargetError("option-invalid", message);
}
