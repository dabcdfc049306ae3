import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { TargetError } from "@llm/target";
import { PROFILES, profileOfVersion, type SdkProfile, type SdkProfileId } from "./sdk-profiles.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The vendor's SDK as it is installed here. */
export interface InstalledSdk {
  readonly programs: Readonly<Partial<Record<SdkProfile["program"], string>>>;
  /** The folder it was found in. */
  readonly root: string;
  /** From its version file; absent where there is none. */
  readonly version?: string;
}

/** Where the vendor's installer puts it. */
const PLACE = "/opt/qti-aic";
/** No version file says it later. */
const MOST_LENGTH = 1 << 20;

/** The folder of the SDK: QAIC_SDK_DIR, else where its installer puts it. */
export function sdkFolder(env: Environment): string {
  return env.QAIC_SDK_DIR || PLACE;
}

/** Looks for the compiler on the PATH, then in the SDK's folder. */
export function findSdk(env: Environment = process.env): InstalledSdk | undefined {
  const place = sdkFolder(env);
  const onPath = (env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  const folders = [...(env.QAIC_SDK_DIR ? [] : onPath), join(place, "exec"), ...(env.QAIC_SDK_DIR ? onPath : [])];
  const programs: Partial<Record<SdkProfile["program"], string>> = {};
  for (const program of ["qaic-compile", "qaic-exec"] as const) {
    for (const folder of folders) {
      const path = join(folder, program);
      if (!isExecutable(path)) continue;
      programs[program] = path;
      break;
    }
  }
  const found = programs["qaic-compile"] ?? programs["qaic-exec"];
  if (found === undefined) return undefined;
  // …/exec/qaic-exec belongs to the SDK around it; a program elsewhere on the PATH to the one at its place.
  const own = dirname(dirname(found));
  const version = versionIn(own) ?? versionIn(place);
  return { programs, root: versionIn(own) === undefined ? place : own, ...(version ? { version } : {}) };
}

/** Each program of the installed SDK, with the version that the SDK says it is of. */
export function sdkVersions(sdk: InstalledSdk | undefined = findSdk()): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(sdk?.programs ?? {}).map((program) => [program, sdk?.version ?? "unknown"]));
}

/**
 * The profile that was asked for; for "auto" the installed SDK's. Without one: flat specializations and the newer program,
 * which the most SDKs of today understand.
 */
export function chooseProfile(asked: SdkProfileId | "auto", sdk: InstalledSdk | undefined): SdkProfileId {
  if (asked !== "auto") return asked;
  const known = sdk?.version === undefined ? undefined : profileOfVersion(sdk.version);
  if (known !== undefined) return known;
  return sdk && sdk.programs["qaic-compile"] === undefined ? "2024-05" : "1.22";
}

/** The profile's compiler; undefined without an SDK. An SDK of another generation is an error that says which profile fits. */
export function compilerOf(profile: SdkProfileId, sdk: InstalledSdk | undefined): string | undefined {
  if (!sdk) return undefined;
  const { program } = PROFILES[profile];
  const path = sdk.programs[program];
  if (path !== undefined) return path;
  const there = Object.values(sdk.programs).join(", ");
  throw new TargetError(
    "option-invalid",
    `--sdk-profile ${profile} is for ${program}; here is ${there}: choose --sdk-profile ${chooseProfile("auto", sdk)}`,
  );
}

/** The version of what runs QPCs, which is installed apart from the compiler. */
export function platformVersion(env: Environment): string | undefined {
  return versionIn(sdkFolder(env), "platform.xml");
}

function versionIn(root: string, file = "apps.xml"): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, "versions", file), "utf8");
  } catch {
    return undefined; // no SDK, or none that says
  }
  return /<base_version>\s*([\w.-]+)\s*<\/base_version>/.exec(text.slice(0, MOST_LENGTH))?.[1];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
