import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "@llm/target";
import { PROFILES } from "./sdk-profiles.ts";
import type { CompileSettings } from "./settings.ts";

/** Where the compiler's folder goes, and the folder that its settings are kept in, both relative to the artefact. */
export interface ArtefactName {
  /** Of settings and configuration files. */
  readonly folder: string;
  /** Of programqpc.bin. */
  readonly binaries: string;
}

/** The file that makes a folder a QPC: every loader asks for it. */
export const QPC_FILE = "programqpc.bin";
/** What it was made from, beside it. */
export const RECORD_FILE = "compiled.json";

/**
 * Folders as the replaced programs name them, so that scripts find them. The recipe counts all cores in the name, and those
 * of one SoC in its flag. Names don't carry every option: what shaped a folder is in its content key, never in its name.
 */
export function artefactName(settings: CompileSettings, hashed: Json): ArtefactName {
  const { name, batchSize, fullBatchSize, promptLen, ctxLen, numCores, devices, mos, mxfp6, mxint8 } = settings;
  switch (PROFILES[settings.profile].naming) {
    case "recipe": {
      const folder = `qpc/${name}-${batchSize}bs-${promptLen}pl-${ctxLen}cl-${numCores * devices}c-${mxfp6 ? "mx6" : "fp16"}`;
      return { folder, binaries: folder };
    }
    case "options": {
      const slots = fullBatchSize > 0 ? `_${fullBatchSize}FBS` : "";
      const shape = `${numCores}cores_${batchSize}BS${slots}_${promptLen}PL_${ctxLen}CL_${mos}MOS_${devices}devices`;
      const folder = `qpc_${shape}_${mxfp6 ? "mxfp6" : "fp16"}${mxint8 ? "_mxint8" : ""}`;
      return { folder, binaries: `${folder}/qpcs` };
    }
    case "hash": {
      const folder = `qpc-${createHash("sha256").update(canonicalJson(hashed)).digest("hex").slice(0, 16)}`;
      return { folder, binaries: `${folder}/qpc` };
    }
  }
}
