import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { buildQaicHost, hostFiles } from "@llm/runtime-native/qaic";
import type { Finding, Host } from "@llm/target";
import { cacheHome } from "@llm/target/engine";
import { type Environment, findSdk, platformVersion, sdkFolder } from "../compile/sdk.ts";
import { profileOfVersion } from "../compile/sdk-profiles.ts";

const BUILD = "llm doctor --target aic100 --build";

/** The adapter's program, one for each version of the SDK: they aren't compatible. */
export function hostProgram(env: Environment = process.env): string {
  const version = platformVersion(env) ?? findSdk(env)?.version ?? "unknown";
  return join(cacheHome(env), "llm", "qaic", `qaic-host-${version}`);
}

/** Compiles the adapter against the installed SDK's header. */
export async function buildRuntime({ env }: Pick<Host, "env">, report: (line: string) => void): Promise<void> {
  const sdk = sdkFolder(env);
  const program = hostProgram(env);
  report(`compiling the adapter against ${hostFiles(sdk).header ?? sdk}`);
  await buildQaicHost({ sdk, program, ...(env.CXX ? { compiler: env.CXX } : {}) });
  report(`made ${program}`);
}

/** What this machine offers: the compiler, the runtime, cards. None of them is needed to export, plan or emulate. */
export async function aic100Doctor({ env }: Pick<Host, "env">): Promise<readonly Finding[]> {
  return [compiler(env), runtime(env), cards()];
}

function compiler(env: Environment): Finding {
  const name = "compiler";
  const sdk = findSdk(env);
  if (!sdk)
    return {
      name,
      state: "warning",
      detail: "the Apps SDK is not installed: llm compile writes a folder to be compiled elsewhere",
      fix: "install the Cloud AI Apps SDK (x86-64 Linux), or point QAIC_SDK_DIR to it",
    };
  const programs = Object.values(sdk.programs).join(", ");
  if (sdk.version === undefined)
    return {
      name,
      state: "warning",
      detail: `${programs}, of an unknown version`,
      fix: "say which with --sdk-profile",
    };
  return {
    name,
    state: "ok",
    detail: `${programs}, SDK ${sdk.version} (profile ${profileOfVersion(sdk.version) ?? "unknown"})`,
  };
}

function runtime(env: Environment): Finding {
  const name = "runtime";
  const program = hostProgram(env);
  if (existsSync(program)) return { name, state: "ok", detail: program };
  const { header, library } = hostFiles(sdkFolder(env));
  if (header === undefined || library === undefined)
    return {
      name,
      state: "warning",
      detail: "the Platform SDK is not installed: QPCs don't run here",
      fix: "install the Cloud AI Platform SDK; --emulate needs none",
    };
  return { name, state: "warning", detail: "the adapter is not compiled against this SDK yet", fix: BUILD };
}

function cards(): Finding {
  const name = "cards";
  const nodes = list("/dev/accel").filter((node) => /^accel\d+$/.test(node));
  if (nodes.length === 0)
    return { name, state: "warning", detail: "none here", fix: "see that the qaic driver is loaded" };
  return { name, state: "ok", detail: `${nodes.length} in /dev/accel` };
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no such devices
  }
}

/** What to do where the adapter is needed and not there. */
export const BUILD_FIRST = `the adapter to the vendor's runtime is not compiled: ${BUILD}`;
