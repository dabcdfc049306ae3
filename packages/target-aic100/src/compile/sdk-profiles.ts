/** Generations of the vendor's compiler that differ in what they are called with. */
export const SDK_PROFILES = ["recipe", "2024-05", "1.21", "1.22", "today"] as const;
export type SdkProfileId = (typeof SDK_PROFILES)[number];

/** What a compiler's command line is made of; a profile says which parts it has, and in which order. */
export type CommandPart =
  | "model"
  | "hardware"
  | "hardwareVersion"
  | "compileOnly"
  | "specializations"
  | "retainedState"
  | "fp16"
  | "mxfp6"
  | "cores"
  | "mos"
  | "depthFirst"
  | "mxint8Traffic"
  | "subFunctions"
  | "customIo"
  | "partition"
  | "binaries";

/** How one generation of the compiler is called, and how those who call it name what it makes. */
export interface SdkProfile {
  readonly id: SdkProfileId;
  readonly title: string;
  readonly program: "qaic-exec" | "qaic-compile";
  /** What `-aic-hw-version` says for each generation of cards; a generation that is absent isn't known to it. */
  readonly hardware: Readonly<Partial<Record<Hardware, string>>>;
  readonly command: readonly CommandPart[];
  readonly specializations: "flat" | "named";
  /** Inputs and then outputs under headings, or every input with its output beside it. */
  readonly customIo: "headed" | "paired";
  readonly customIoFile: { readonly fp16: string; readonly mxint8: string };
  /** {n}: the number of devices. */
  readonly partitionFile: string;
  /** A partition file is written for a single device too, though nobody is told of it. */
  readonly partitionAlways: boolean;
  readonly naming: "recipe" | "options" | "hash";
  /** Which form of the graph it was published with: see docs/aic100.md. */
  readonly graph: "cache_index" | "position_ids";
}

export type Hardware = "ai100" | "ai200";

/** The order of the GPTBigCode recipe's script. */
const RECIPE: readonly CommandPart[] = [
  "model",
  "hardware",
  "hardwareVersion",
  "specializations",
  "retainedState",
  "fp16",
  "cores",
  "customIo",
  "compileOnly",
  "binaries",
  "partition",
  "mxfp6",
];

/** The order of the library in May 2024. */
const LIBRARY_2024: readonly CommandPart[] = [
  "model",
  "hardware",
  "hardwareVersion",
  "specializations",
  "fp16",
  "retainedState",
  "cores",
  "customIo",
  "compileOnly",
  "binaries",
  "mxfp6",
  "mos",
  "depthFirst",
  "partition",
];

/** What comes after the program and its hardware since the library names its folders by hashes. */
const BY_HASH: readonly CommandPart[] = [
  "model",
  "partition",
  "retainedState",
  "fp16",
  "mxfp6",
  "cores",
  "mos",
  "depthFirst",
  "mxint8Traffic",
  "subFunctions",
  "specializations",
  "customIo",
  "binaries",
];

const HASHED = {
  customIo: "paired",
  customIoFile: { fp16: "custom_io.yaml", mxint8: "custom_io.yaml" },
  partitionFile: "mdp_ts_{n}.json",
  partitionAlways: false,
  naming: "hash",
  graph: "position_ids",
} as const;

export const PROFILES: Readonly<Record<SdkProfileId, SdkProfile>> = {
  recipe: {
    id: "recipe",
    title: "the GPTBigCode recipe of the Cloud AI SDK",
    program: "qaic-exec",
    hardware: { ai100: "2.0" },
    command: RECIPE,
    specializations: "flat",
    customIo: "headed",
    customIoFile: { fp16: "custom_io.yaml", mxint8: "custom_io.yaml" },
    partitionFile: "mdp.json",
    partitionAlways: true,
    naming: "recipe",
    graph: "cache_index",
  },
  "2024-05": {
    id: "2024-05",
    title: "the transformers library of May 2024, with SDKs up to 1.20",
    program: "qaic-exec",
    hardware: { ai100: "2.0" },
    command: LIBRARY_2024,
    specializations: "flat",
    customIo: "headed",
    customIoFile: { fp16: "custom_io_fp16.yaml", mxint8: "custom_io_int8.yaml" },
    partitionFile: "mdp_ts_config.json",
    partitionAlways: false,
    naming: "options",
    graph: "cache_index",
  },
  "1.21": {
    ...HASHED,
    id: "1.21",
    title: "SDK 1.21",
    program: "qaic-exec",
    hardware: { ai100: "ai100" },
    command: ["hardware", "compileOnly", "hardwareVersion", ...BY_HASH],
    specializations: "flat",
  },
  // Between the new compiler and the named specializations, which older ones end at with a JSON type error.
  "1.22": {
    ...HASHED,
    id: "1.22",
    title: "SDK 1.22",
    program: "qaic-compile",
    hardware: { ai100: "ai100", ai200: "ai200" },
    command: ["hardware", "hardwareVersion", ...BY_HASH],
    specializations: "flat",
  },
  today: {
    ...HASHED,
    id: "today",
    title: "SDKs from 1.23 on",
    program: "qaic-compile",
    hardware: { ai100: "ai100", ai200: "ai200" },
    command: ["hardware", "hardwareVersion", ...BY_HASH],
    specializations: "named",
  },
};

/** First versions of SDKs, newest first, and the profile that holds from there on. */
const SINCE: readonly (readonly [major: number, minor: number, profile: SdkProfileId])[] = [
  [1, 23, "today"],
  [1, 22, "1.22"],
  [1, 21, "1.21"],
  [0, 0, "2024-05"],
];

/** The profile of an SDK by its version; undefined where the text isn't one. The recipe is chosen by name alone. */
export function profileOfVersion(version: string): SdkProfileId | undefined {
  const numbers = /^(\d+)\.(\d+)/.exec(version.trim());
  if (!numbers) return undefined;
  const [major, minor] = [Number(numbers[1]), Number(numbers[2])];
  return SINCE.find(([first, second]) => major > first || (major === first && minor >= second))?.[2];
}
