import { existsSync } from "node:fs";
import { type OpenModelOptions, overridesOf, type ResolveOptions } from "@llm/toolchain";
import type { Call } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";

/** What a call says about finding and reading its MODEL. */
export function modelOptions({ options }: Call, io: Io): ResolveOptions & Pick<OpenModelOptions, "config" | "lora"> {
  const { config, lora, cacheDir, hfToken, revision, offline } = options;
  overridesOf(config); // what makes no sense is said before a model is fetched
  if (lora !== undefined && !existsSync(lora)) throw new UsageError(`--lora ${lora}: there is no such folder`);
  return {
    ...(config === undefined ? {} : { config }),
    ...(lora === undefined ? {} : { lora }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(hfToken === undefined ? {} : { token: hfToken }),
    ...(revision === undefined ? {} : { revision }),
    ...(offline === undefined ? {} : { offline }),
    signal: io.signal,
    onProgress: (done, total, note) => io.progress.update({ done, total, unit: "bytes", note }),
  };
}
