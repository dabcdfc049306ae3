import type { Call, Outcome } from "../definition/command.ts";
import { DEFAULT_TARGET } from "../definition/options.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";

/** `llm doctor` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { buildRuntimeFor, diagnose, installFor } = await import("@llm/toolchain");
  const { install, buildRuntime, target } = call.options;
  if (install && target === undefined) throw new UsageError("--install needs --target: say for which device");
  if (buildRuntime && target === undefined) throw new UsageError("--build needs --target: say for which device");
  if (buildRuntime && target !== undefined) {
    const began = performance.now();
    io.progress.begin("build", `what ${target} runs through`);
    await buildRuntimeFor(target, { env: io.env, report: (line) => io.progress.line(line) });
    io.progress.end({ seconds: (performance.now() - began) / 1000 });
  }
  if (install && target !== undefined) {
    const began = performance.now();
    io.progress.begin("install", `what ${target} needs`);
    await installFor(target, { env: io.env, report: (line) => io.progress.line(line) });
    io.progress.end({ seconds: (performance.now() - began) / 1000 });
  }
  const findings = await diagnose({
    ...(call.options.target === undefined ? {} : { target: call.options.target }),
    ...(call.options.cacheDir === undefined ? {} : { cacheDir: call.options.cacheDir }),
    env: io.env,
  });
  // What another device would need is worth knowing, and no fault of a machine that nobody asked to have one.
  const needed = ({ target: of }: { readonly target: string }) => of === "machine" || of === (target ?? DEFAULT_TARGET);
  const ok = findings.every((finding) => finding.state !== "missing" || !needed(finding));
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap((finding, at) => {
    const { target, name, state, detail, fix } = finding;
    const mark = state === "missing" && !needed(finding) ? "–" : MARKS[state];
    return [
      ...(findings[at - 1]?.target === target ? [] : [`${at > 0 ? "\n" : ""}${target}`]),
      `  ${mark} ${name.padEnd(width)}  ${detail}`,
      ...(fix === undefined ? [] : [`    ${" ".repeat(width)}  → ${fix}`]),
    ];
  });
  return { json: { findings, ok }, text: lines.join("\n"), exitCode: ok ? EXIT.done : EXIT.missing };
}

const MARKS = { ok: "✓", warning: "!", missing: "✗" } as const;
