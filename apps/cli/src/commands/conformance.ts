import { writeFile } from "node:fs/promises";
import { CHECKS, conform, findTarget, ToolchainError } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import type { Io } from "../output/io.ts";
import { seconds } from "../output/units.ts";
import { openCalled } from "./open.ts";

/** `llm conformance` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { target } = await findTarget(call.target ?? DEFAULT_TARGET);
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
    const { report: file } = call.options;
    if (file !== undefined) await write(file, report);
    const lines = report.checks.map(
      ({ name, state, seconds: s, reason }) =>
        `${MARKS[state]} ${name}  ${seconds(s)}${reason ? `\n    ${reason}` : ""}`,
    );
    const sums = `${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`;
    return {
      json: report,
      text: [...lines, "", sums, ...(file === undefined ? [] : [`written to ${file}`])].join("\n"),
      ...(report.failed === 0
        ? {}
        : { problem: `${target.title} does not conform: ${report.failed} of ${report.checks.length} checks failed` }),
    };
  } finally {
    await model.close();
  }
}

const MARKS = { passed: "✓", failed: "✗", skipped: "–" } as const;

async function write(file: string, report: object): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ToolchainError("write-failed", `${file} can't be written (${code}); choose another file (--report)`, {
      cause: error,
    });
  }
}
