import {
  deviceEngine,
  type Engine,
  type EvalProgress,
  type EvalReport,
  evalPage,
  evaluate,
  findTarget,
  type Model,
  PRECISION_OPTIONS,
  referenceEngine,
  tokenizerOf,
  type Variant,
  type VariantReport,
} from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { bytes, seconds } from "../output/units.ts";
import { checkFile } from "./given-file.ts";
import { openCalled } from "./open.ts";
import { checkOutput, problems, writeOutput } from "./output-file.ts";

/** `llm eval` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { text, tasks, template, window, stride, maxTokens, blocks, force, reportHtml } = call.options;
  if (text === undefined && tasks === undefined)
    throw new UsageError("llm eval needs --text FILE or --tasks FILE.jsonl: what to evaluate with");
  if (text !== undefined) await checkFile("--text", text);
  if (tasks !== undefined) await checkFile("--tasks", tasks);
  await checkOutput("--html", reportHtml);
  const model = await openCalled(call, io);
  try {
    const tokenizer = await tokenizerOf(model.checkpoint);
    const engine = await engineOf(model, call, io);
    io.progress.begin("eval", model.name);
    const report = await evaluate(model, tokenizer, engine, {
      ...(text === undefined ? {} : { text }),
      ...(tasks === undefined ? {} : { tasks }),
      ...(template === undefined ? {} : { template: template.replaceAll("\\n", "\n") }),
      ...(window === undefined ? {} : { context: window }),
      ...(stride === undefined ? {} : { stride }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(blocks === undefined ? {} : { blocks }),
      ...(force === undefined ? {} : { force }),
      variants: variantsOf(call),
      env: io.env,
      signal: io.signal,
      onProgress: (progress) => show(progress, io),
    });
    io.progress.end({ seconds: report.seconds });
    const unwritten = await writeOutput("--html", reportHtml, () => evalPage(model.name, report));
    return { json: jsonOf(model, report), text: table(report), ...problems(unwritten) };
  } finally {
    await model.close();
  }
}

async function engineOf(model: Model, call: Call, io: Io): Promise<Engine> {
  if (call.target === "reference") return referenceEngine(model);
  const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
  return deviceEngine(model, target, { env: io.env, signal: io.signal });
}

/** Each of several formats separated by commas is a variant of its own; all other options are the same for all. */
function variantsOf({ targetOptions }: Call): readonly Variant[] {
  const { format, ...rest } = targetOptions;
  if (typeof format !== "string") return [{ name: nameOf(targetOptions), options: targetOptions }];
  const formats = format.split(",").map((one) => one.trim());
  if (formats.includes("")) throw new UsageError(`--format is one or several formats, not "${format}"`);
  return formats.map((one) => ({ name: nameOf({ ...rest, format: one }), options: { ...rest, format: one } }));
}

/** What makes a variant another model than the checkpoint, in few words. */
function nameOf(options: Call["targetOptions"]): string {
  const { format, formatRules, emulate, qGroupSize, kvFormat, activations } = Object.fromEntries(
    PRECISION_OPTIONS.map((key) => [key, options[key]]),
  );
  const parts = [
    `${format ?? "fp32"}${qGroupSize ? `, groups of ${qGroupSize}` : ""}`,
    ...(Array.isArray(formatRules) ? [`rules ${formatRules.join(" ")}`] : []),
    ...(emulate ? ["emulated"] : []),
    ...(kvFormat === undefined ? [] : [`cache ${kvFormat}`]),
    ...(activations === undefined ? [] : [`activations ${activations}`]),
  ];
  return parts.join(" · ");
}

function show({ variant, done, total, secondsLeft, perplexity }: EvalProgress, io: Io): void {
  const note = [
    variant,
    ...(perplexity === undefined ? [] : [`perplexity ${perplexity.toFixed(2)}`]),
    ...(secondsLeft === undefined ? [] : [`${seconds(secondsLeft)} left`]),
  ];
  io.progress.update({ done: Math.round((done / total) * 100), total: 100, note: note.join(", ") });
}

function jsonOf(model: Model, report: EvalReport): object {
  const [first] = report.variants;
  const { perplexity, kl, top1Agreement, choices } = first!;
  return {
    model: model.name,
    target: report.engine,
    ...(perplexity === undefined ? {} : { perplexity, kl, top1Agreement }),
    ...(choices === undefined ? {} : { choices }),
    window: report.context,
    stride: report.stride,
    variants: report.variants,
    seconds: report.seconds,
    peakRssBytes: report.peakRssBytes,
  };
}

const COLUMNS = ["", "perplexity", "kl", "top 1", "accuracy", "by length", "size", "bits"] as const;

function table({ variants, context, stride, seconds: took }: EvalReport): string {
  const rows = variants.map(rowOf);
  const shown = COLUMNS.flatMap((_, at) => (at === 0 || rows.some((row) => row[at] !== "") ? [at] : []));
  const widths = shown.map((at) => Math.max(COLUMNS[at]!.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: readonly string[]) =>
    shown
      .map((at, i) => (i === 0 ? cells[at]!.padEnd(widths[i]!) : cells[at]!.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const tokens = variants[0]?.tokens;
  const windows = tokens === undefined ? [] : [`${tokens} tokens in windows of ${context}, ${stride} apart`];
  const resumed = variants.some(({ resumed }) => resumed !== undefined) ? ["went on from an interrupted run"] : [];
  return [line(COLUMNS), ...rows.map(line), "", [...windows, ...resumed, seconds(took)].join(", ")].join("\n");
}

function rowOf({ name, perplexity, kl, top1Agreement, choices, ...rest }: VariantReport): readonly string[] {
  const share = (value: number | undefined) => (value === undefined ? "" : `${(value * 100).toFixed(1)} %`);
  return [
    name,
    perplexity?.toFixed(3) ?? "",
    kl?.toFixed(5) ?? "",
    share(top1Agreement),
    share(choices?.accuracy),
    share(choices?.normalisedAccuracy),
    bytes(rest.bytes),
    rest.bitsPerWeight.toFixed(2),
  ];
}
