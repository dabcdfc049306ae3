import { resolveModel } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";
import { modelOptions } from "./model-options.ts";

/** `llm pull` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { onProgress, ...options } = modelOptions(call, io);
  io.progress.begin("fetch", call.args.model);
  const location = await resolveModel(call.args.model, {
    ...options,
    ...(onProgress ? { onProgress } : {}),
    hashes: true,
  });
  io.progress.close();
  if (location.pulled === undefined)
    return {
      json: { folder: location.path, files: [] },
      text: `${location.path} is on this machine; there is nothing to download`,
    };
  const { folder, commit, files, note } = location.pulled;
  if (note !== undefined) io.note(note);
  const width = Math.max(...files.map(({ path }) => path.length));
  const lines = files.map(
    ({ path, bytes: size, sha256 }) => `  ${path.padEnd(width)}  ${bytes(size).padStart(8)}  ${sha256 ?? ""}`,
  );
  const came = location.downloaded > 0 ? `${bytes(location.downloaded)} downloaded` : "everything was there";
  return { json: { folder, commit, files }, text: [folder, ...lines, came].join("\n") };
}
