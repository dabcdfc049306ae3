import { existsSync } from "node:fs";
import { join } from "node:path";
import { NativeError } from "@llm/runtime-native";
import { openQaic } from "@llm/runtime-native/qaic";
import { type Artefact, type Session, TargetError } from "@llm/target";
import { QPC_FILE } from "../compile/artefact-name.ts";
import { unfinishedKit } from "../compile/qpc-unit.ts";
import { readQpc } from "../inspect/read-qpc.ts";
import { madeWith } from "../made-with.ts";
import { IndexSession } from "../session/index-session.ts";
import { PositionsSession } from "../session/positions-session.ts";
import { recordingCard } from "../session/recording-card.ts";
import { callShapes } from "./call-shapes.ts";
import { QpcCard } from "./qpc-card.ts";
import { BUILD_FIRST, hostProgram } from "./runtime.ts";

export interface OpenQpcOptions {
  readonly devices: readonly number[];
  /** Where the first calls' tensors are written; "": nowhere. */
  readonly writeIoDir?: string;
}

/** Opens a compiled program on cards, whoever compiled it. */
export async function openQpc(artefact: Artefact, { devices, writeIoDir = "" }: OpenQpcOptions): Promise<Session> {
  const { folder, manifest } = artefact;
  const file = manifest.files.find(({ path }) => path.endsWith(QPC_FILE) || path.endsWith(".bin"));
  if (!file) {
    const todo = unfinishedKit(artefact);
    if (todo !== undefined) throw new TargetError("tool-missing", todo);
    throw new TargetError("artefact-invalid", `${folder} has no ${QPC_FILE}: compile it, or export with --emulate`);
  }
  const path = join(folder, file.path);
  const { network: whole, inner } = await readQpc(path);
  const network = whole ?? inner.find(({ qpc }) => qpc.network)?.qpc.network;
  if (!network) throw new TargetError("artefact-invalid", `${path} doesn't describe its network: it can't be run here`);
  const { generation, shapes, ctxLen, compContexts, rings, candidates } = callShapes(
    network,
    madeWith(artefact).ctxLen,
  );
  const program = hostProgram();
  if (!existsSync(program)) throw new TargetError("tool-missing", BUILD_FIRST);
  try {
    const host = await openQaic({ program, qpc: path, devices });
    const own = new QpcCard(host, network);
    const card = writeIoDir === "" ? own : recordingCard(own, writeIoDir);
    const { width } = manifest.model;
    if (generation === "index")
      return new IndexSession(card, { slots: shapes.slots, prefill: shapes.prefill, ctxLen, width });
    return new PositionsSession(card, { shapes, ctxLen, width, rings, compContexts, candidates });
  } catch (cause) {
    if (!NativeError.isInstance(cause)) throw cause;
    const missing = cause.code === "runtime-missing" || cause.code === "device-missing";
    throw new TargetError(missing ? "tool-missing" : "artefact-invalid", cause.message, { cause });
  }
}
