import { addonStatus, cpuFeatures, NativeError } from "@llm/runtime-native";
import { ortVersion } from "@llm/runtime-native/ort";
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
  const status = addonStatus();
  if (status.state === "loaded") return { name: "addon", state: "ok", detail: status.file };
  const slower = "everything runs without it, through onnxruntime-node";
  return { name: "addon", state: "warning", detail: `not in use: ${status.reason}`, fix: slower };
}

function processor(): Finding {
  const { arch, features, source } = cpuFeatures();
  if (source === "unknown")
    return { name: "processor", state: "warning", detail: `${arch}; what it can do is not known without the addon` };
  return { name: "processor", state: "ok", detail: `${arch}: ${features.join(" ")}` };
}
