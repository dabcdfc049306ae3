import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pull, type Selection } from "@llm/checkpoint";
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
}

/** What MODEL stands for when nothing is said. */
export const DEFAULT_MODEL = "demo";

/** `owner/name`, or the bare name of the hub's first models. */
const HUB_ID = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/;

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
  if (!HUB_ID.test(model) || FILE.test(model))
    throw new ToolchainError(
      "model-not-found",
      `${model}: does not exist; a model is a folder, a .gguf file, a hub id or "demo"`,
    );
  return { name: model, from: "hub", ...(await download(model, options)) };
}

async function download(repo: string, options: ResolveOptions): Promise<Pick<ModelLocation, "path" | "downloaded">> {
  const { onProgress, ...rest } = options;
  const before = await pull(repo, { ...rest, offline: true }).catch(() => undefined); // not there yet: nothing to know
  const had = new Set(before?.files.map(({ path, sha256 }) => `${sha256} ${path}`));
  const { folder, files } = await pull(repo, {
    ...rest,
    onProgress: ({ bytes, totalBytes, files, totalFiles }) =>
      onProgress?.(bytes, totalBytes, `${files} of ${totalFiles} files`),
  });
  const fresh = files.filter(({ path, sha256 }) => !had.has(`${sha256} ${path}`));
  return { path: folder, downloaded: fresh.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
