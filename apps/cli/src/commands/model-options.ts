import type { ResolveOptions } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import type { Io } from "../output/io.ts";

/** What a call says about finding and reading its MODEL. */
export function modelOptions({ options }: Call, io: Io): ResolveOptions & { readonly config?: readonly string[] } {
  const { config, cacheDir, hfToken, revision, offline } = options;
  return {
    ...(config === undefined ? {} : { config }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(hfToken === undefined ? {} : { token: hfToken }),
    ...(revision === undefined ? {} : { revision }),
    ...(offline === undefined ? {} : { offline }),
    signal: io.signal,
    onProgress: (done, total, note) => io.progress.update({ done, total, unit: "bytes", note }),
  };
}
