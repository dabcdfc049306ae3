import type { Graph } from "@llm/core-ir";
import { type Choice, choiceCalled, TargetError } from "@llm/target";
import { coresOf, sharedBy } from "../devices.ts";
import { replicas } from "../graph/replicate-kv-heads.ts";
import { type Aic100Options, aic100Options } from "../options.ts";
import { chooseProfile, findSdk, type InstalledSdk } from "./sdk.ts";
import { type CompileSettings, checkSettings, DEFAULT_SETTINGS } from "./settings.ts";

/** What the compiler is asked for, of what a user said; what it can't do is refused here, before anything is made. */
export function settingsOf(options: Aic100Options, model: string): CompileSettings {
  const { numSpeculativeTokens, compCtxLengths } = options;
  const settings: CompileSettings = {
    ...DEFAULT_SETTINGS,
    profile: chooseProfile(options.sdk, findSdk()),
    hardware: options.hwVersion,
    name: (options.name || model).replaceAll(/[^\w.-]+/g, "_").replace(/^\.+/, "") || "model",
    batchSize: options.batchSize,
    promptLen: options.promptLen,
    ctxLen: options.ctxLen,
    numCores: coresOf(options),
    devices: sharedBy(options),
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

/** Settles what the SDK decides, and says where the model can't have what was asked for. */
export function chooseAic100(model: Graph, options: Aic100Options): Choice<Aic100Options> {
  const chosen = chooseSdk(options);
  const note = replicasNote(model, options.replicateKvHeads);
  return note === undefined ? chosen : { ...chosen, notes: [...chosen.notes, note] };
}

function replicasNote(model: Graph, times: number): string | undefined {
  const heads = model.ops.find(({ kind }) => kind === "attention")?.ins.map((value) => value?.type.shape.at(-2));
  const [of, groups] = [Number(heads?.[0]), Number(heads?.[1])];
  const made = heads ? replicas(of, groups, times) : 1;
  if (made === times) return undefined;
  return `--replicate-kv-heads ${times}: each is kept ${made === 1 ? "once" : `${made} times`}, for ${heads ? `${of} heads over ${groups}` : "a cache without heads"}`;
}

/** Settles whose flags and files they are, and says so where an SDK decided it. */
export function chooseSdk(options: Aic100Options, sdk: InstalledSdk | undefined = findSdk()): Choice<Aic100Options> {
  if (options.sdk !== "auto") return { options, notes: [] };
  const profile = chooseProfile("auto", sdk);
  const note = `using --sdk-profile ${profile}, for SDK ${sdk?.version ?? "of an unknown version"} in ${sdk?.root}`;
  return { options: { ...options, sdk: profile }, notes: sdk && !options.emulate ? [note] : [] };
}

/**
 * Where nothing else was said: the format that --mxfp6 is another name for, what the recipe's own script starts from, and
 * lengths that the model, and what was said of the other length, leave room for.
 */
export function impliedDefaults(given: Partial<Aic100Options>, model?: Graph): Partial<Aic100Options> {
  const isRecipe = given.sdk === "recipe";
  const format = given.format && choiceCalled(aic100Options.format, given.format);
  if (given.mxfp6 && format !== undefined && format !== "mx6")
    throw new TargetError("option-invalid", `--format ${format} and --mxfp6: leave one of them out`);
  const usual = isRecipe ? RECIPE_LENGTHS : { promptLen: DEFAULT_SETTINGS.promptLen, ctxLen: DEFAULT_SETTINGS.ctxLen };
  const ctxLen = Math.min(usual.ctxLen, model?.dims.context?.max ?? usual.ctxLen);
  const said = typeof given.ctxLen === "number" ? given.ctxLen : ctxLen;
  return {
    ctxLen,
    promptLen: Math.max(1, Math.min(usual.promptLen, said - 1)),
    ...((given.mxfp6 ?? isRecipe) ? { format: "mx6" } : {}),
  };
}

const RECIPE_LENGTHS = { promptLen: 256, ctxLen: 1024 };
