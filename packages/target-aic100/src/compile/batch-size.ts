import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { TargetError } from "@llm/target";
import { readQpc } from "../inspect/read-qpc.ts";
import { QPC_FILE, RECORD_FILE } from "./artefact-name.ts";

/** Larger configuration files than any compile has. */
const MOST_BYTES = 1 << 20;

/**
 * How many sequences a compiled QPC takes at once: of its decode entry, as was written down when it was compiled here, else by
 * the specializations that lie beside it, else by what the QPC itself says.
 *
 * @example
 * await getCompilationBatchSize("qpc_16cores_4BS_32PL_128CL_-1MOS_1devices_mxfp6/qpcs"); // 4
 */
export async function getCompilationBatchSize(qpcPath: string): Promise<number> {
  const folder = basename(qpcPath) === QPC_FILE ? dirname(qpcPath) : qpcPath;
  const recorded = await recordedIn(folder);
  if (recorded !== undefined) return recorded;
  for (const place of [folder, dirname(folder), ...(await above(folder))]) {
    const file = join(place, "specializations.json");
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined && text.length <= MOST_BYTES) return batchSizeIn(text, file);
  }
  const { network } = await readQpc(join(folder, QPC_FILE));
  if (network?.batchSize === undefined)
    throw new TargetError("artefact-invalid", `${folder} says nowhere what batch size it was compiled for`);
  return network.batchSize;
}

async function recordedIn(folder: string): Promise<number | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, RECORD_FILE), "utf8")) as { readonly batchSize?: unknown };
    return Number.isSafeInteger(record.batchSize) ? (record.batchSize as number) : undefined;
  } catch {
    return undefined; // compiled by somebody else
  }
}

/** The recipe keeps its configuration where it is called, two folders up from what it makes. */
async function above(folder: string): Promise<readonly string[]> {
  const parent = dirname(folder);
  if (basename(parent) !== "qpc") return [];
  const others = await readdir(parent).catch(() => []);
  return others.length === 1 ? [dirname(parent)] : []; // with several, it is the last one's
}

function batchSizeIn(text: string, file: string): number {
  try {
    const { specializations } = JSON.parse(text) as { readonly specializations: readonly Record<string, unknown>[] };
    const sizes = specializations.map((entry) => {
      const { batch_size: size } = ("symbols" in entry ? entry.symbols : entry) as { readonly batch_size?: unknown };
      return Number(size);
    });
    const size = sizes.at(-1);
    if (size !== undefined && Number.isSafeInteger(size) && size >= 1) return size;
  } catch {
    // says the same as a file without a size
  }
  throw new TargetError("artefact-invalid", `${file} names no batch size`);
}
