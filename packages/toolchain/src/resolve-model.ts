import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { CheckpointError, type Pulled, pull, type Selection } from "@llm/checkpoint";
import { demoModelFolder } from "@llm/demo-model";
import { ToolchainError } from "./error.ts";

/** How a MODEL is found. */
export interface ResolveOptions {
  readonly revision?: string;
  readonly token?: string;
  readonly cacheDir?: string;
  /** Only what is downloaded already. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  /** What of a repository on the hub is needed; the weights, with everything around them, unless said. */
  readonly want?: Selection["want"];
  /** Whether small files' hashes are wanted in `pulled`. */
  readonly hashes?: boolean;
  /** In bytes, while something is downloaded. */
  onProgress?(done: number, total: number, note: string): void;
}

/** A MODEL that lies on this machine. */
export interface ModelLocation {
  /** How it is called: the hub id, or the folder's own name. */
  readonly name: string;
  readonly path: string; // absolute
  readonly from: "bundled" | "disk" | "hub";
  /** How many bytes came over the network for it. */
  readonly downloaded: number;
  /** What of the hub's repository is there. */
  readonly pulled?: Pulled;
}

/** What MODEL stands for when nothing is said. */
export const DEFAULT_MODEL = "demo";

/** `owner/name`, or the bare name of the hub's first models. */
const HUB_ID = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/;

/** One of a repository's models in GGUF: `owner/name/path/to/file.gguf`, or `owner/name:Q4_K_M`. */
const HUB_GGUF = /^(?<repo>[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:\/(?<file>.+\.gguf)|:(?<quantisation>[\w.-]+))$/;

/** What ends like a file is one, and not there. */
const FILE = /\.(?:onnx|gguf|json|bmodel|safetensors|bin|tar|pt|pth)$/;

/** Finds a MODEL: `demo`, something on disk, or a hub id, which is downloaded where that has not been done. */
export async function resolveModel(
  model: string = DEFAULT_MODEL,
  options: ResolveOptions = {},
): Promise<ModelLocation> {
  if (model === DEFAULT_MODEL) return { name: DEFAULT_MODEL, path: demoModelFolder, from: "bundled", downloaded: 0 };
  const path = resolve(model);
  if (await exists(path)) return { name: basename(path), path, from: "disk", downloaded: 0 };
  const { repo, file, quantisation } = HUB_GGUF.exec(model)?.groups ?? {};
  // A path into a folder that is there was meant as one, not as the hub's.
  const local = file !== undefined && (await exists(resolve(model.split("/")[0]!)));
  if (repo !== undefined && !local) return download(model, repo, options, file ?? quantisation);
  if (HUB_ID.test(model) && !FILE.test(model)) return download(model, model, options);
  throw new ToolchainError(
    "model-not-found",
    `${model}: does not exist; a model is a folder, a .gguf file, a hub id (owner/name, owner/name:Q4_K_M) or "demo"`,
  );
}

/** Refuses a MODEL that is no name of the hub's and isn't on the disk; what the hub has is known once it is fetched. */
export async function checkPlace(model: string, options: ResolveOptions = {}): Promise<void> {
  await resolveModel(model, { ...options, offline: true, want: "config" }).catch((error) => {
    if (ToolchainError.isInstance(error) && error.code === "model-not-found") throw error;
  });
}

async function download(name: string, repo: string, options: ResolveOptions, gguf?: string): Promise<ModelLocation> {
  const { onProgress, ...rest } = options;
  const pulled = await pull(repo, {
    hashes: false,
    ...rest,
    ...(gguf === undefined ? {} : { gguf }),
    onProgress: ({ bytes, totalBytes, files, totalFiles }) =>
      onProgress?.(bytes, totalBytes, `${files} of ${totalFiles} files`),
  }).catch((error) => {
    if (!name.endsWith(".gguf") || !CheckpointError.isInstance(error) || !error.code.startsWith("hub-")) throw error;
    // It may have been meant as a path all the same.
    throw new CheckpointError(error.code, `${name} is not on this machine, and of the hub: ${error.message}`, {
      cause: error,
    });
  });
  return { name, path: pulled.model, from: "hub", downloaded: pulled.downloaded, pulled };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
