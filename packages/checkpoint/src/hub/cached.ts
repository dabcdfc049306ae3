import { CheckpointError } from "../error.ts";
import { ggufModels } from "../gguf/file-names.ts";
import type { RepoCache } from "./cache.ts";
import type { RepoFile } from "./repo.ts";
import { type Selection, selectFiles } from "./select.ts";

/** What the cache has, where nothing else may be asked. */
export async function cachedOnly(
  cache: RepoCache,
  repo: string,
  revision: string,
  selection: Selection,
): Promise<{ readonly commit: string; readonly paths: readonly string[] }> {
  const commit = (await cache.ref(revision)) ?? revision;
  const missing = (what: string) =>
    new CheckpointError(
      "hub-offline",
      `${repo}: ${what} is not in the cache, and offline nothing is fetched; run once without --offline (HF_HUB_OFFLINE)`,
    );
  if (!(await cache.has(commit))) throw missing(`revision "${revision}"`);
  const paths = await cache.files(commit);
  const { files = [], gguf, want } = selection;
  for (const name of [...files, ...(want === "config" && gguf === undefined ? ["config.json"] : [])])
    if (!paths.includes(name)) throw missing(name);
  if (gguf === undefined) return { commit, paths };
  const chosen = choose(repo, paths, selection);
  if (!chosen || !partsComplete(chosen)) throw missing(`"${gguf}"`);
  return { commit, paths: chosen };
}

/** All that is wanted of a commit, if the cache has it, as far as names can tell: what else the commit has only the hub knows. */
export async function cachedWhole(
  cache: RepoCache,
  repo: string,
  commit: string,
  selection: Selection,
): Promise<readonly string[] | undefined> {
  if (!(await cache.has(commit))) return undefined;
  const chosen = choose(repo, await cache.files(commit), selection);
  if (!chosen || !partsComplete(chosen)) return undefined;
  const { files, gguf, want = "model" } = selection;
  if (files !== undefined || gguf !== undefined || want === "config") return chosen;
  // Other programs may have fetched a part. One GGUF file may be one of many.
  const has = (name: RegExp) => chosen.some((path) => name.test(path));
  const whole = has(/^(tokenizer|vocab|tekken)[^/]*$/) && (want === "tokenizer" || has(/^config\.json$/));
  return whole && !has(/\.gguf$/) ? chosen : undefined;
}

function choose(repo: string, paths: readonly string[], selection: Selection): readonly string[] | undefined {
  const there = paths.map((path): RepoFile => ({ path, size: undefined, etag: undefined }));
  try {
    return selectFiles(repo, there, selection).map(({ path }) => path);
  } catch (error) {
    if (CheckpointError.isInstance(error)) return undefined;
    throw error;
  }
}

/** Whether of each file that says it is one of several all are there. */
function partsComplete(paths: readonly string[]): boolean {
  const parts = new Map<string, number>();
  for (const path of paths) {
    const found = /^(.*)\d{5}(-of-\d{5}\.\w+)$/.exec(path);
    if (found) parts.set(`${found[1]}${found[2]}`, (parts.get(`${found[1]}${found[2]}`) ?? 0) + 1);
  }
  return [...parts].every(([set, count]) => count >= Number(/-of-(\d{5})\.\w+$/.exec(set)![1]));
}

/** The file to open where that is not the folder: a GGUF model that was asked for, or the only one, when it lies deeper. */
export function fileToOpen(paths: readonly string[], asked: boolean): string | undefined {
  const models = ggufModels(paths);
  const [file] = models.length === 1 ? models[0]!.files : [];
  const alone = file?.includes("/") && !paths.some((path) => /\.(safetensors|bin|onnx)$/.test(path));
  return asked || alone ? file : undefined;
}
