import { cpuFeatures, NativeError } from "@llm/runtime-native";
import { ortAddonStatus, ortVersion } from "@llm/runtime-native/ort";
import type { Finding } from "@llm/target";

/** What this machine offers the CPU target, and what is missing. */
export async function cpuDoctor(): Promise<readonly Finding[]> {
  return [await runtime(), addon(), processor()];
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

function processor(): Finding {
  const { arch, features, source } = cpuFeatures();
  if (source === "unknown")
    return { name: "processor", state: "warning", detail: `${arch}; what it can do is not known without the addon` };
  return { name: "processor", state: "ok", detail: `${arch}: ${features.join(" ")}` };
}
