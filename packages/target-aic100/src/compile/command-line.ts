import { type CommandPart, PROFILES } from "./sdk-profiles.ts";
import type { CompileSettings } from "./settings.ts";

/** Where the compiler finds its files and puts its own. */
export interface CompilePaths {
  readonly model: string;
  readonly specializations: string;
  readonly customIo: string;
  readonly partition: string;
  /** The folder that will hold programqpc.bin; the compiler makes it. */
  readonly binaries: string;
}

type Part = (settings: CompileSettings, paths: CompilePaths) => string | undefined;

/** Flags by part; a part that has nothing to say is left out. */
const PARTS: Readonly<Record<CommandPart, Part>> = {
  model: (_, { model }) => `-m=${model}`,
  hardware: () => "-aic-hw",
  hardwareVersion: ({ profile, hardware }) => `-aic-hw-version=${PROFILES[profile].hardware[hardware]}`,
  compileOnly: () => "-compile-only",
  specializations: (_, { specializations }) => `-network-specialization-config=${specializations}`,
  retainedState: () => "-retained-state",
  fp16: () => "-convert-to-fp16",
  mxfp6: ({ mxfp6 }) => (mxfp6 ? "-mxfp6-matmul" : undefined),
  cores: ({ numCores }) => `-aic-num-cores=${numCores}`,
  mos: ({ mos }) => (mos > 0 ? `-mos=${mos}` : undefined),
  depthFirst: ({ depthFirst }) => (depthFirst ? "-aic-enable-depth-first" : undefined),
  mxint8Traffic: ({ mxint8Traffic }) => (mxint8Traffic ? "-allow-mxint8-mdp-io" : undefined),
  subFunctions: ({ subFunctions }) => (subFunctions ? "-sub-functions" : undefined),
  customIo: (_, { customIo }) => `-custom-IO-list-file=${customIo}`,
  partition: ({ devices }, { partition }) => (devices > 1 ? `-mdp-load-partition-config=${partition}` : undefined),
  binaries: (_, { binaries }) => `-aic-binary-dir=${binaries}`,
};

/** Arguments for the profile's compiler, in the order that its own callers put them. */
export function compilerArguments(settings: CompileSettings, paths: CompilePaths): readonly string[] {
  return PROFILES[settings.profile].command
    .map((part) => PARTS[part](settings, paths))
    .filter((argument) => argument !== undefined);
}
