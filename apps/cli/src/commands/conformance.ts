import { CHECKS, conform, findTarget } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import type { Io } from "../output/io.ts";
import { seconds } from "../output/units.ts";
import { openCalled } from "./open.ts";
import { checkOutput, problems, writeOutput } from "./output-file.ts";

/** `llm conformance` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
  const { report: file } = call.options;
  await checkOutput("--report", file);
  const model = await openCalled(call, io);
  try {
    io.progress.begin("conformance", `${model.name} on ${target.title}`);
    let done = 0;
    const report = await conform(model, target, {
      targetOptions: call.targetOptions,
      env: io.env,
      signal: io.signal,
      onResult: ({ name }) => io.progress.update({ done: ++done, total: CHECKS, unit: "items", note: name }),
    });
    const took = report.checks.reduce((sum, check) => sum + check.seconds, 0);
    io.progress.end({ seconds: took, failed: report.failed > 0 });
    const unwritten = await writeOutput("--report", file, () => `${JSON.stringify(report, null, 2)}\n`);
    const written = file !== undefined && unwritten === undefined ? [`written to ${file}`] : [];
    const lines = report.checks.map(
      ({ name, state, seconds: s, reason }) =>
        `${MARKS[state]} ${name}  ${seconds(s)}${reason ? `\n    ${reason}` : ""}`,
    );
    const sums = `${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`;
    return {
      json: report,
      text: [...lines, "", sums, ...written].join("\n"),
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

const MARKS = { passed: "✓", failed: "✗", skipped: "–" } as const;
