import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import { cpuFeatures, NativeError } from "@llm/runtime-native";
import { ortAddonStatus, ortKernel, ortKernels, ortStepsBack, ortVersion } from "@llm/runtime-native/ort";
import type { Finding, Host } from "@llm/target";
import { panelCache } from "@llm/target/engine";

/** What this machine offers the CPU target, and what is missing. */
export async function cpuDoctor({ env }: Host): Promise<readonly Finding[]> {
  return [await runtime(), addon(), threads(), processor(), kernels(), await panels(env)];
}

async function runtime(): Promise<Finding> {
  try {
    return { name: "onnxruntime", state: "ok", detail: `ONNX Runtime ${await ortVersion()}` };
  } catch (error) {
    if (!NativeError.isInstance(error)) throw error;
    return { name: "onnxruntime", state: "missing", detail: error.message, fix: "npm install onnxruntime-node" };
  }
}

function addon(): Finding {
  const status = ortAddonStatus();
  if (status.used)
    return { name: "addon", state: "ok", detail: "models run on a thread of their own, nothing is copied" };
  const detail = `not in use, so steps are slower and hold up the event loop: ${status.reason}`;
  return { name: "addon", state: "warning", detail };
}

/** Whether the event loop gets a processor while all of them compute. */
function threads(): Finding {
  if (ortStepsBack())
    return { name: "threads", state: "ok", detail: "those that compute step back for the event loop" };
  const reason = ortAddonStatus().used
    ? process.platform === "linux"
      ? "this sandbox forbids sched_setattr"
      : "only Linux can"
    : "that takes the addon";
  const detail = `those that compute don't step back, so the event loop may wait some ms for a processor: ${reason}`;
  return { name: "threads", state: "warning", detail };
}

function processor(): Finding {
  const { arch, features, source } = cpuFeatures();
  if (source === "unknown")
    return { name: "processor", state: "warning", detail: `${arch}; what it can do is not known without the addon` };
  return { name: "processor", state: "ok", detail: `${arch}: ${features.join(" ")}` };
}

/** Who multiplies by weights in 4 and 8 bits. */
function kernels(): Finding {
  const [used, names] = [ortKernel(), ortKernels()];
  const detail = `weights in 4 and 8 bits are multiplied by ${used === undefined ? "ONNX Runtime" : `our ${used}`}`;
  if (used !== undefined && used === names[0]) return { name: "kernels", state: "ok", detail };
  const reason =
    names.length > 0
      ? `LLM_CPU_KERNEL is ${process.env.LLM_CPU_KERNEL}, best is ${names[0]}`
      : `slower than by ours, which need ${ortAddonStatus().used ? "AVX2 with FMA and F16C, or AVX-512 VNNI" : "the addon"}`;
  return { name: "kernels", state: "warning", detail: `${detail}: ${reason}` };
}

/** Whether what the kernels make of weights can be kept. */
async function panels(env: Host["env"]): Promise<Finding> {
  const folder = panelCache(env);
  for (let place = folder; ; place = dirname(place)) {
    try {
      await access(place, constants.W_OK | constants.X_OK);
      return { name: "panels", state: "ok", detail: `weights in the kernels' order are kept in ${folder}` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && place !== dirname(place)) continue;
      const detail = `weights are put in order at every start: ${folder} can't be written to (${code} at ${place})`;
      return { name: "panels", state: "warning", detail };
    }
  }
}
