import { CHECKS, type ConformanceReport, conform, findTarget } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import type { Io } from "../output/io.ts";
import { seconds } from "../output/units.ts";
import { openCalled } from "./open.ts";
import { checkOutput, problems, writeOutput } from "./output-file.ts";

type CheckResult = ConformanceReport["checks"][number];

/** `llm conformance` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
  const { report: file } = call.options;
  await checkOutput("--report", file);
  const model = await openCalled(call, io);
  try {
    const ended: CheckResult[] = [];
    const goOn = () => {
      io.progress.begin("conformance");
      io.progress.update({ done: ended.length, total: CHECKS, note: `${model.name} on ${target.title}` });
    };
    const tell = (result: CheckResult) => {
      ended.push(result);
      // Off the terminal while a line goes to stdout, which may be the same terminal.
      io.progress.close();
      if (io.json) io.note(lineOf(result));
      else io.write(`${lineOf(result)}\n`);
      goOn();
    };
    goOn();
    const report = await conform(model, target, {
      targetOptions: call.targetOptions,
      env: io.env,
      signal: io.signal,
      onResult: tell,
    }).catch((error: unknown) => {
      if (io.signal.aborted) io.note(`stopped after ${ended.length} of ${CHECKS} checks: ${sums(ended)}`);
      throw error;
    });
    const took = report.checks.reduce((sum, check) => sum + check.seconds, 0);
    io.progress.end({ seconds: took, failed: report.failed > 0 });
    const unwritten = await writeOutput("--report", file, () => `${JSON.stringify(report, null, 2)}\n`);
    const written = file !== undefined && unwritten === undefined ? [`written to ${file}`] : [];
    return {
      json: report,
      text: ["", sums(report.checks), ...written].join("\n"),
      ...problems(
        report.failed === 0
          ? undefined
          : `${target.title} does not conform: ${report.failed} of ${report.checks.length} checks failed`,
        unwritten,
      ),
    };
  } finally {
    await model.close();
  }
}

function lineOf({ name, state, seconds: took, reason }: CheckResult): string {
  return `${MARKS[state]} ${name}  ${seconds(took)}${reason ? `\n    ${reason}` : ""}`;
}

function sums(checks: readonly CheckResult[]): string {
  const states = ["passed", "failed", "skipped"] as const;
  return states.map((state) => `${checks.filter((check) => check.state === state).length} ${state}`).join(", ");
}

const MARKS = { passed: "✓", failed: "✗", skipped: "–" } as const;
