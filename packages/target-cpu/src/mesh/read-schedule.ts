import { readFile } from "node:fs/promises";
import { TargetError } from "@llm/target";
import type { MeshSchedule } from "./schedule.ts";

/** Reads a mesh.json. What is none, whatever happened to it, is an error of one line that names it. */
export async function readScheduleFile(file: string): Promise<MeshSchedule> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    const why =
      cause instanceof SyntaxError ? "is no JSON" : `can't be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new TargetError("artefact-damaged", `${file} ${why}; build the artefact again`, { cause });
  }
  const wrong = faultOf(value);
  if (wrong !== undefined)
    throw new TargetError("artefact-damaged", `${file} is damaged: ${wrong}; build the artefact again`);
  return value as MeshSchedule;
}

type Fields = Readonly<Record<string, unknown>>;

function faultOf(value: unknown): string | undefined {
  if (!isFields(value)) return "it is no object";
  const { mp, pp, places, talks, hands } = value;
  if (!isCount(mp) || !isCount(pp)) return "it doesn't say how many ranks and stages there are";
  if (!Array.isArray(places) || places.length !== mp * pp)
    return `it doesn't have the ${mp * pp} places of ${mp}x${pp}`;
  if (!places.every((place) => isPlace(place, mp, pp))) return "a place has no rank, stage or nets";
  if (new Set(places.map(({ rank, stage }) => stage * mp + rank)).size !== places.length)
    return "a place is there twice";
  const nets = new Set<unknown>(places.flatMap(({ nets }) => nets));
  const isPort = (port: unknown) => isFields(port) && nets.has(port.net) && typeof port.name === "string";
  const arePorts = (ports: unknown) => Array.isArray(ports) && ports.every(isPort);
  const isTalk = (talk: unknown) =>
    isFields(talk) &&
    isBelow(talk.stage, pp) &&
    arePorts(talk.terms) &&
    (talk.terms as readonly unknown[]).length === mp &&
    arePorts(talk.results) &&
    isCombined(talk, mp);
  if (!Array.isArray(talks) || !talks.every(isTalk)) return "it doesn't say what ranks tell one another";
  const isHand = (hand: unknown) => isFields(hand) && isPort(hand.from) && arePorts(hand.to);
  return Array.isArray(hands) && hands.every(isHand) ? undefined : "it doesn't say what is handed on";
}

function isPlace(place: unknown, mp: number, pp: number): boolean {
  return (
    isFields(place) &&
    isBelow(place.rank, mp) &&
    isBelow(place.stage, pp) &&
    Array.isArray(place.nets) &&
    place.nets.length > 0 &&
    place.nets.every(isNet)
  );
}

/** A net's name is a folder's: it must not lead out of the artefact. */
function isNet(net: unknown): boolean {
  return typeof net === "string" && /^[\w.-]+$/.test(net) && !/^\.+$/.test(net);
}

function isCombined({ combine, axis, sizes, spans }: Fields, mp: number): boolean {
  const isSpan = (span: unknown) => Array.isArray(span) && span.length === 2 && span.every(isWhole);
  if (spans !== undefined && !(Array.isArray(spans) && spans.length === mp && spans.every(isSpan))) return false;
  if (combine === "sum") return true;
  const sized = Array.isArray(sizes) && sizes.length === mp && sizes.every(isWhole);
  return combine === "concat" && Number.isInteger(axis) && sized;
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCount = (value: unknown): value is number => isWhole(value) && (value as number) > 0;
const isBelow = (value: unknown, end: number): boolean => isWhole(value) && (value as number) < end;
