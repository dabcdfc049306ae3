import type { Target } from "@llm/target";
import {
  type ExportReport,
  exportForTransformersJs,
  exportModel,
  exportOnnx,
  findTarget,
  type Model,
} from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { flagOf } from "../definition/option.ts";
import { OPTIONS } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes, seconds } from "../output/units.ts";
import { buildProgress } from "./build-progress.ts";
import { openCalled } from "./open.ts";

/** Targets that are no device: ONNX for any runtime, and for one of the web. */
const PORTABLE = ["onnx", "transformersjs"] as const;
type Portable = (typeof PORTABLE)[number];

/** Options that only these have. */
const THEIRS: Readonly<Record<Portable, readonly (keyof Call["options"])[]>> = {
  onnx: ["name", "copy", "kv", "saveFp32Onnx", "saveFp16Onnx", "perBlock", "genai", "fixedShapes"],
  transformersjs: ["copy", "dtypes"],
};

/** `llm export` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { out, force } = call.options;
  if (out === undefined) throw new UsageError("llm export needs --out DIR: where to write to");
  const id = call.target ?? "onnx";
  refuseTargets(call, id);
  const target = isPortable(id) ? undefined : (await findTarget(id)).target;
  refuseForeign(call, id, target);
  const model = await openCalled(call, io);
  try {
    io.progress.begin("export", out);
    const report = target
      ? await exportModel(model, target, {
          folder: out,
          targetOptions: { ...call.targetOptions, ...shared(call, target) },
          env: io.env,
          signal: io.signal,
          ...(force === undefined ? {} : { force }),
          onEvent: buildProgress(io.progress),
        })
      : await exportPortable(model, id as Portable, out, call, io);
    io.progress.end({ seconds: report.seconds, skipped: report.upToDate ?? false });
    for (const note of report.notes) io.note(note);
    const { notes, ...json } = report;
    return { json: { ...json, target: id, notes }, text: summary(report) };
  } finally {
    await model.close();
  }
}

function exportPortable(model: Model, id: Portable, folder: string, { options }: Call, io: Io): Promise<ExportReport> {
  const { name, copy, kv, saveFp32Onnx, saveFp16Onnx, perBlock, genai, fixedShapes, dtypes } = options;
  const common = {
    folder,
    signal: io.signal,
    onProgress: (done: number, total: number) => io.progress.update({ done, total, unit: "bytes" }),
    ...(copy === undefined ? {} : { copy }),
  };
  if (id === "transformersjs")
    return exportForTransformersJs(model, { ...common, ...(dtypes === undefined ? {} : { dtypes: checked(dtypes) }) });
  return exportOnnx(model, {
    ...common,
    ...(name === undefined ? {} : { name }),
    ...(kv === undefined ? {} : { kv }),
    ...(saveFp32Onnx === undefined ? {} : { saveFp32Onnx }),
    ...(saveFp16Onnx === undefined ? {} : { saveFp16Onnx }),
    ...(perBlock === undefined ? {} : { perBlock }),
    ...(genai === undefined ? {} : { genai }),
    ...(fixedShapes === undefined ? {} : { sizes: sizesOf(fixedShapes) }),
  });
}

/** `["batch_size=1", …]` */
function sizesOf(given: readonly unknown[]): Record<string, number> {
  return Object.fromEntries(
    given.map((item) => {
      const [, name, size] = /^(\w+)=(\d+)$/.exec(String(item)) ?? [];
      if (name === undefined) throw new UsageError(`--fixed-shapes is a list of NAME=N, not "${item}"`);
      return [name, Number(size)];
    }),
  );
}

const DTYPES = ["fp32", "fp16", "q8", "q4"] as const;

function checked(dtypes: readonly unknown[]): readonly (typeof DTYPES)[number][] {
  const unknown = dtypes.find((dtype) => !DTYPES.some((known) => known === dtype));
  if (unknown === undefined && dtypes.length > 0) return dtypes as readonly (typeof DTYPES)[number][];
  throw new UsageError(`--dtypes is a list of ${DTYPES.join(", ")}, not "${dtypes.join(",")}"`);
}

function isPortable(id: string): id is Portable {
  return PORTABLE.some((portable) => portable === id);
}

/** Flags of devices where no device is meant would change nothing. */
function refuseTargets({ targetFlags: [first] }: Call, id: string): void {
  if (first === undefined || !isPortable(id)) return;
  throw new UsageError(`${first.said} is for --target ${first.targets.join(" or ")}: say which`);
}

/** Options that a device has by the same names as what is portable. */
function shared({ options }: Call, target: Pick<Target, "options">): Record<string, unknown> {
  const keys = Object.values(THEIRS).flat();
  return Object.fromEntries(
    keys.flatMap((key) => (options[key] !== undefined && key in target.options ? [[key, options[key]]] : [])),
  );
}

function refuseForeign({ options, settings }: Call, id: string, target: Pick<Target, "options"> | undefined): void {
  const own = isPortable(id) ? THEIRS[id] : Object.keys(target?.options ?? {});
  const foreign = Object.values(THEIRS)
    .flat()
    .find((key) => options[key] !== undefined && !settings.has(key) && !own.includes(key));
  if (foreign === undefined) return;
  const [owner] = PORTABLE.filter((portable) => THEIRS[portable].includes(foreign));
  const flag = `--${options[foreign] === false ? "no-" : ""}${flagOf(foreign, OPTIONS[foreign])}`;
  throw new UsageError(`${flag} is for --target ${owner}, not for --target ${id}; leave one of them out`);
}

function summary(report: ExportReport): string {
  const { folder, files, bytesWritten, bytesReferenced, upToDate, seconds: took, peakRssBytes } = report;
  const width = Math.max(...files.map(({ path }) => path.length));
  return [
    folder,
    ...files.map(
      ({ path, bytes: size, linked }) =>
        `  ${path.padEnd(width)}  ${bytes(size)}${linked ? ", the checkpoint's own" : ""}`,
    ),
    `${upToDate ? "up to date, " : ""}${bytes(bytesWritten)} written, ${bytes(bytesReferenced)} stayed where they were, ${seconds(took)}, ${bytes(peakRssBytes)} of memory at most`,
  ].join("\n");
}
