import { existsSync } from "node:fs";
import { addon, addonStatus } from "../addon.ts";
import { NativeError } from "../error.ts";
import { AddonOrtSession, type OrtBackend } from "./addon-session.ts";
import { firstLine } from "./first-line.ts";
import { ortLibrary } from "./library.ts";
import { importOrt, NodeOrtSession } from "./node-binding.ts";
import type { OrtOptions, OrtSession } from "./session.ts";

/**
 * Loads an ONNX model; its weights may lie in other files of the same folder.
 *
 * @example
 * const model = await openOrt("model.onnx", { threads: 2 });
 * const { y } = await model.run({ x: ortTensor("f32", [1, 4], new Float32Array([1, 2, 3, 4])) }, { y: null });
 * await model.close();
 */
export async function openOrt(file: string, options: OrtOptions = {}): Promise<OrtSession> {
  if (!existsSync(file)) throw new NativeError("model-missing", "there is no such file", { file });
  const found = options.backend === "onnxruntime-node" ? "not wanted" : ortBackend();
  checkKernel(process.env[KERNEL], ortKernels());
  if (typeof found !== "string") return AddonOrtSession.open(file, options, found);
  if (options.backend === "addon") throw new NativeError("runtime-missing", `the addon can't be used: ${found}`);
  return NodeOrtSession.open(file, options);
}

/** ONNX Runtime's version, or a NativeError that says how to install it. */
export async function ortVersion(): Promise<string> {
  const found = ortBackend();
  if (typeof found !== "string") return found.addon.version(found.library);
  const { versions } = (await importOrt()).env;
  return versions.node ?? versions.common;
}

/** Whether models run through the addon; if not, why. */
export function ortAddonStatus(): { readonly used: true } | { readonly used: false; readonly reason: string } {
  const found = ortBackend();
  return typeof found === "string" ? { used: false, reason: found } : { used: true };
}

/** Whether threads that compute step back for the event loop: on Linux, unless a sandbox forbids it; never without the addon. */
export function ortStepsBack(): boolean {
  const found = ortBackend();
  return typeof found !== "string" && found.addon.inBackground();
}

/** Names the kernel for packed weights that models are opened with, which is the best one unless it says so; for comparisons. */
const KERNEL = "LLM_CPU_KERNEL";
/** Leaves packed weights to ONNX Runtime. */
const THEIRS = "onnxruntime";

/** The addon's own kernels for packed weights that this processor can run, best first; none without the addon. */
export function ortKernels(): readonly string[] {
  const found = ortBackend();
  return typeof found === "string" ? [] : found.addon.kernels();
}

/** The one in use: the best, or what `LLM_CPU_KERNEL` names; undefined where ONNX Runtime does that work. */
export function ortKernel(): string | undefined {
  const names = ortKernels();
  const wanted = process.env[KERNEL];
  return wanted ? names.find((name) => name === wanted) : names[0];
}

function checkKernel(wanted: string | undefined, names: readonly string[]): void {
  if (!wanted || wanted === THEIRS || names.includes(wanted)) return;
  const offered = [...names, THEIRS].join(", ");
  throw new NativeError(
    "option-invalid",
    `${KERNEL} ${wanted}: this processor${names.length > 0 ? "" : ", without the addon,"} can run ${offered}`,
  );
}

let backend: OrtBackend | string | undefined;

/** The addon and its library, or why there is none. */
function ortBackend(): OrtBackend | string {
  return (backend ??= findBackend());
}

function findBackend(): OrtBackend | string {
  const native = addon();
  const status = addonStatus();
  if (native === undefined) return status.state === "loaded" ? "it is not loaded" : status.reason;
  const library = ortLibrary();
  if (library === undefined) return "onnxruntime-node is not installed, or has no library for this platform";
  try {
    native.ort.version(library);
    if (process.env[KERNEL]) native.ort.chooseKernel(process.env[KERNEL]);
    return { addon: native.ort, library };
  } catch (error) {
    return `${library} ${firstLine(error)}`;
  }
}
