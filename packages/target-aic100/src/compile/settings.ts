import { TargetError } from "@llm/target";
import type { Connection } from "./partition.ts";
import { type Hardware, PROFILES, type SdkProfile, type SdkProfileId } from "./sdk-profiles.ts";

/** Everything about a compile but the graph: what is asked for, in the compiler's own measures. */
export interface CompileSettings {
  readonly profile: SdkProfileId;
  readonly hardware: Hardware;
  /** The model part of names: "starcoder". */
  readonly name: string;
  readonly batchSize: number;
  readonly promptLen: number;
  readonly ctxLen: number;
  /** Cores of each SoC. */
  readonly numCores: number;
  /** SoCs that share the model by tensor slicing. */
  readonly devices: number;
  /** How they reach one another. */
  readonly connection: Connection;
  readonly mxfp6: boolean;
  /** Of the cache. */
  readonly mxint8: boolean;
  /** −1 leaves it to the compiler. */
  readonly mos: number;
  readonly depthFirst: boolean;
  /** Slots of continuous batching; 0 without. */
  readonly fullBatchSize: number;
  /** Slots that keep a cache, where there are more of them than run at once. */
  readonly kvCacheBatchSize: number;
  /** Guesses that a step checks, one decode entry for each number. */
  readonly speculate: readonly number[];
  /** Shorter lengths that a step may see of the cache, for prompts and for decoding. */
  readonly compCtxLengths?: { readonly prefill: readonly number[]; readonly decode: readonly number[] };
  /** One ONNX function for each block. */
  readonly subFunctions: boolean;
  /** MXINT8 for what devices tell one another. */
  readonly mxint8Traffic: boolean;
}

export const DEFAULT_SETTINGS: CompileSettings = {
  profile: "1.22",
  hardware: "ai100",
  name: "model",
  batchSize: 1,
  promptLen: 32,
  ctxLen: 128,
  numCores: 16,
  devices: 1,
  connection: "p2p",
  mxfp6: false,
  mxint8: false,
  mos: -1,
  depthFirst: false,
  fullBatchSize: 0,
  kvCacheBatchSize: 0,
  speculate: [],
  subFunctions: false,
  mxint8Traffic: false,
};

/** An SoC has no more cores; a Standard card offers 14 of them. */
const MOST_CORES = 16;
/** As many SoCs as reach one another without the host. */
export const MOST_DEVICES = 16;

/** The settings' profile, once they make sense together; else one line that says which option doesn't. */
export function checkSettings(settings: CompileSettings): SdkProfile {
  const { batchSize, promptLen, ctxLen, numCores, devices, mos, speculate, fullBatchSize, kvCacheBatchSize } = settings;
  const profile = PROFILES[settings.profile];
  if (!profile) throw invalid(`there is no SDK profile "${settings.profile}"`);
  const counts = { "--batch-size": batchSize, "--prompt-len": promptLen, "--ctx-len": ctxLen };
  for (const [flag, value] of Object.entries(counts))
    if (!Number.isSafeInteger(value) || value < 1)
      throw invalid(`${flag} ${value}: it is a whole number of at least 1`);
  if (!Number.isSafeInteger(numCores) || numCores < 1 || numCores > MOST_CORES)
    throw invalid(`--num-cores ${numCores}: an SoC has 1 to ${MOST_CORES} (a Standard card 14)`);
  if (!Number.isSafeInteger(devices) || devices < 1 || devices > MOST_DEVICES)
    throw invalid(`${devices} devices: a model is shared by 1 to ${MOST_DEVICES}`);
  if (!Number.isSafeInteger(mos) || mos < -1 || mos === 0) throw invalid(`--mos ${mos}: it is at least 1, or -1`);
  if (promptLen > ctxLen) throw invalid(`--prompt-len ${promptLen} is longer than --ctx-len ${ctxLen}`);
  if (/[^\w.-]/.test(settings.name) || settings.name === "" || settings.name.startsWith("."))
    throw invalid(`--name "${settings.name}": letters, digits, ".", "_" and "-" make a file name`);
  if (profile.hardware[settings.hardware] === undefined)
    throw invalid(`${profile.title} compiles for ${Object.keys(profile.hardware)}, not for ${settings.hardware}`);
  if (profile.graph === "cache_index" && (fullBatchSize > 0 || speculate.length > 0 || settings.compCtxLengths))
    throw invalid(
      `--sdk-profile ${profile.id}: its graph writes every row of a batch at one place; continuous batching, speculation and shorter contexts need a newer profile`,
    );
  const parts = [
    ["subFunctions", "--sub-functions"],
    ["mxint8Traffic", "mxint8Traffic"],
    ["depthFirst", "--aic-enable-depth-first"],
  ] as const;
  for (const [part, flag] of parts)
    if (settings[part] && !profile.command.includes(part)) throw invalid(`--sdk-profile ${profile.id} has no ${flag}`);
  if (mos !== -1 && !profile.command.includes("mos")) throw invalid(`--sdk-profile ${profile.id} has no --mos`);
  if (speculate.length > 0 && settings.compCtxLengths)
    throw invalid("speculation and shorter contexts don't go together on this compiler");
  if (kvCacheBatchSize > 0 && kvCacheBatchSize < fullBatchSize)
    throw invalid(`kvCacheBatchSize ${kvCacheBatchSize} is less than fullBatchSize ${fullBatchSize}`);
  return profile;
}

export function invalid(message: string): TargetError {
  return new TargetError("option-invalid", message);
}
