import { pack } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes } from "../output/units.ts";

/** `llm pack` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const began = performance.now();
  const { thing } = call.args;
  if (thing === undefined) throw new UsageError("say what to pack: llm pack ARTEFACT");
  io.progress.begin("pack", thing);
  const { out } = call.options;
  const packed = await pack(thing, {
    ...(out === undefined ? {} : { out }),
    signal: io.signal,
    onProgress: (done, total) => io.progress.update({ done, total, unit: "bytes" }),
  });
  io.progress.end({ seconds: (performance.now() - began) / 1000 });
  const { file, bytes: size, files } = packed;
  return { json: { file, bytes: size, files }, text: `${file}: ${bytes(size)}, ${files.length} files` };
}
