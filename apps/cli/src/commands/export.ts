import { type ExportReport, exportModel, exportOnnx, findTarget } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes, seconds } from "../output/units.ts";
import { buildProgress } from "./build-progress.ts";
import { openCalled } from "./open.ts";

/** `--target` for ONNX that belongs to no device. */
const STANDARD = "onnx";

/** `llm export` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { out, force } = call.options;
  if (out === undefined) throw new UsageError("llm export needs --out DIR: where to write to");
  const standard = (call.target ?? STANDARD) === STANDARD;
  refuseForeign(call, standard);
  const target = standard ? undefined : (await findTarget(call.target!)).target;
  const model = await openCalled(call, io);
  try {
    io.progress.begin("export", out);
    const report = target
      ? await exportModel(model, target, {
          folder: out,
          targetOptions: call.targetOptions,
          env: io.env,
          signal: io.signal,
          ...(force === undefined ? {} : { force }),
          onEvent: buildProgress(io.progress),
        })
      : await exportOnnx(model, {
          folder: out,
          ...pick(call),
          signal: io.signal,
          onProgress: (done, total) => io.progress.update({ done, total, unit: "bytes" }),
        });
    io.progress.end({ seconds: report.seconds });
    for (const note of report.notes) io.note(note);
    const { notes, ...json } = report;
    return { json: { ...json, target: call.target ?? STANDARD, notes }, text: summary(report) };
  } finally {
    await model.close();
  }
}

/** What only standard ONNX has. */
function pick({ options: { name, copy, kv } }: Call) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(copy === undefined ? {} : { copy }),
    ...(kv === undefined ? {} : { kv }),
  };
}

function refuseForeign(call: Call, standard: boolean): void {
  const [foreign] = Object.keys(standard ? {} : pick(call));
  if (foreign)
    throw new UsageError(
      `--${foreign === "kv" ? "no-kv" : foreign} is for --target ${STANDARD}, not for --target ${call.target}; leave one of them out`,
    );
}

function summary({ folder, files, bytesWritten, bytesReferenced, seconds: took, peakRssBytes }: ExportReport): string {
  const width = Math.max(...files.map(({ path }) => path.length));
  return [
    folder,
    ...files.map(
      ({ path, bytes: size, linked }) =>
        `  ${path.padEnd(width)}  ${bytes(size)}${linked ? ", the checkpoint's own" : ""}`,
    ),
    `${bytes(bytesWritten)} written, ${bytes(bytesReferenced)} stayed where they were, ${seconds(took)}, ${bytes(peakRssBytes)} of memory at most`,
  ].join("\n");
}
