import type { Choice } from "@llm/target";
import type { Aic100Options } from "../options.ts";
import { chooseProfile, findSdk, type InstalledSdk } from "./sdk.ts";
import { type CompileSettings, checkSettings, DEFAULT_SETTINGS, invalid } from "./settings.ts";

/** What the compiler is asked for, of what a user said; what it can't do is refused here, before anything is made. */
export function settingsOf(options: Aic100Options, model: string): CompileSettings {
  const { socs, deviceGroup, numSpeculativeTokens, compCtxLengths } = options;
  if (socs > 1 && deviceGroup.length > 1 && socs !== deviceGroup.length)
    throw invalid(
      `--socs ${socs} and --device-group of ${deviceGroup.length}: they say how many devices share the model`,
    );
  if (new Set(deviceGroup).size < deviceGroup.length)
    throw invalid(`--device-group ${deviceGroup.join(",")}: one is named twice`);
  const settings: CompileSettings = {
    ...DEFAULT_SETTINGS,
    profile: chooseProfile(options.sdk, findSdk()),
    hardware: options.hwVersion,
    name: (options.name || model).replaceAll(/[^\w.-]+/g, "_").replace(/^\.+/, "") || "model",
    batchSize: options.batchSize,
    promptLen: options.promptLen,
    ctxLen: options.ctxLen,
    numCores: options.numCores,
    devices: Math.max(socs, deviceGroup.length),
    mxfp6: options.mxfp6 || options.format === "mx6",
    mxint8: options.mxint8,
    mos: options.mos,
    depthFirst: options.aicEnableDepthFirst,
    fullBatchSize: options.fullBatchSize,
    speculate: numSpeculativeTokens > 0 ? [numSpeculativeTokens] : [],
    ...(compCtxLengths.length > 0 ? { compCtxLengths: { prefill: compCtxLengths, decode: compCtxLengths } } : {}),
    subFunctions: options.subFunctions,
  };
  checkSettings(settings);
  return settings;
}

/** Settles whose flags and files they are, and says so where an SDK decided it. */
export function chooseSdk(options: Aic100Options, sdk: InstalledSdk | undefined = findSdk()): Choice<Aic100Options> {
  if (options.sdk !== "auto") return { options, notes: [] };
  const profile = chooseProfile("auto", sdk);
  const note = `using --sdk-profile ${profile}, for SDK ${sdk?.version ?? "of an unknown version"} in ${sdk?.root}`;
  return { options: { ...options, sdk: profile }, notes: sdk && !options.emulate ? [note] : [] };
}

/** Where nothing else was said: the format that --mxfp6 is another name for, and what the recipe's own script starts from. */
export function impliedDefaults({ sdk, mxfp6 }: Partial<Aic100Options>): Partial<Aic100Options> {
  const isRecipe = sdk === "recipe";
  return {
    ...(isRecipe ? { promptLen: 256, ctxLen: 1024 } : {}),
    ...((mxfp6 ?? isRecipe) ? { format: "mx6" } : {}),
  };
}
