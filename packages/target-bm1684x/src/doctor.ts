import { type AddonStatus, addonStatus } from "@llm/runtime-native";
import { findBmrt } from "@llm/runtime-native/bmrt";
import type { Finding, Host } from "@llm/target";
import { compilerVersion } from "./tools/compiler-version.ts";
import { selfCheck } from "./tools/self-check.ts";
import { COMPILER, isInstalled, TPU_MLIR_VERSION, toolchainOf } from "./tools/toolchain.ts";

/** What this machine offers: the compiler, tried, with the simulator beside it, and what both it and cards are reached through. */
export async function bm1684xDoctor({
  env,
  platform,
  arch,
}: Pick<Host, "env" | "platform" | "arch">): Promise<readonly Finding[]> {
  const addon = addonFinding(addonStatus());
  return [await compiler(env, `${platform}-${arch}`), runtime(env, addon.state === "ok"), addon];
}

/** Where bmodels would run; looked for only, because asking a card takes it from whoever uses it. */
function runtime(env: Host["env"], canRun: boolean): Finding {
  const name = "libsophon";
  try {
    return { name, state: "ok", detail: findBmrt({ env }).bmrt };
  } catch (error) {
    const detail = (error as Error).message.split(";")[0]!;
    const left = canRun ? ": bmodels run on the simulator alone (--simulate)" : "";
    return { name, state: "warning", detail: detail + left };
  }
}

/** Cards and the simulator are both reached through the addon; compiling needs none. */
export function addonFinding(status: AddonStatus): Finding {
  const name = "addon";
  if (status.state === "loaded")
    return { name, state: "ok", detail: "bmodels can be run, on cards and on the simulator" };
  const detail = `bmodels can be compiled but not run here, nor simulated: ${status.reason}`;
  return { name, state: "missing", detail, fix: fixOf(status) };
}

function fixOf({ state }: AddonStatus): string {
  if (state === "off") return "unset LLM_ADDON";
  return state === "failed"
    ? "install @llm/runtime-native again; in a clone, pnpm build"
    : "in a clone, pnpm build, with cmake and a C++ compiler; the published package brings it for linux-x64 and linux-arm64";
}

async function compiler(env: Host["env"], machine: string): Promise<Finding> {
  const name = COMPILER;
  const toolchain = toolchainOf(env);
  if (machine !== "linux-x64")
    return {
      name,
      state: "warning",
      detail: `the compiler runs on linux-x64, not on ${machine}; bmodels from there run here`,
    };
  if (!isInstalled(toolchain)) {
    if (toolchain.own)
      return {
        name,
        state: "missing",
        detail: `TPU_MLIR_DIR=${toolchain.folder} has no bin/tpuc-opt`,
        fix: "point it to the tpu_mlir folder of an unpacked wheel, or unset it",
      };
    const detail = `the compiler (PyPI's tpu-mlir ${TPU_MLIR_VERSION}) is not installed`;
    return { name, state: "missing", detail, fix: "llm doctor --target bm1684x --install" };
  }
  const began = performance.now();
  try {
    await selfCheck(toolchain);
  } catch (error) {
    const detail = `${toolchain.folder} doesn't work here: ${(error as Error).message}`;
    const fix = toolchain.own ? "unset TPU_MLIR_DIR to use ours" : `rm -r ${toolchain.folder}, then install it again`;
    return { name, state: "missing", detail, fix };
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const version = toolchain.own ? `your own copy, ${compilerVersion(toolchain)}` : TPU_MLIR_VERSION;
  return { name, state: "ok", detail: `${version}, compiled a net in ${seconds} s (${toolchain.folder})` };
}
