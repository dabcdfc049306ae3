import { build, findTarget, prepare } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { EXIT } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes, seconds } from "../output/units.ts";
import { buildProgress } from "./build-progress.ts";
import { openCalled } from "./open.ts";

/** `llm compile` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { out, force } = call.options;
  const { target, id } = await findTarget(call.target ?? DEFAULT_TARGET);
  const model = await openCalled(call, io);
  try {
    const prepared = await prepare(model, target, call.targetOptions);
    io.progress.begin("compile", `${model.name} for ${target.title}`);
    const built = await build(prepared, {
      ...(out === undefined ? {} : { folder: out }),
      ...(force === undefined ? {} : { force }),
      env: io.env,
      signal: io.signal,
      onEvent: buildProgress(io.progress),
    });
    const problem = target.unfinished?.(built.artefact);
    const left = problem === undefined ? {} : { note: "exported, and not compiled" };
    io.progress.end({ seconds: built.seconds, skipped: built.upToDate, ...left });
    const units = built.units.map(({ id: name, cached, seconds: took, peakRssBytes, peakDiskBytes }) => ({
      name,
      cached,
      seconds: took,
      peakRssBytes,
      peakDiskBytes,
    }));
    const lines = units.map(({ name, cached, ...took }) => `  ${name}  ${cached ? "was there" : cost(took)}`);
    const { folder } = built.artefact;
    return {
      json: { artefact: folder, target: id, finished: problem === undefined, units, seconds: built.seconds },
      text: [folder, ...lines].join("\n"),
      ...(problem === undefined ? {} : { problem, exitCode: EXIT.missing }),
    };
  } finally {
    await model.close();
  }
}

interface Cost {
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly peakDiskBytes?: number | undefined;
}

function cost(took: Cost): string {
  const disk = took.peakDiskBytes === undefined ? "" : ` and ${bytes(took.peakDiskBytes)} of disk`;
  return `${seconds(took.seconds)}, at most ${bytes(took.peakRssBytes)} of memory${disk}`;
}
