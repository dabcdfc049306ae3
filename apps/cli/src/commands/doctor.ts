import type { Call, Outcome } from "../definition/command.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";

/** `llm doctor` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { diagnose, installFor } = await import("@llm/toolchain");
  const { install, target } = call.options;
  if (install && target === undefined) throw new UsageError("--install needs --target: say for which device");
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
  const ok = findings.every(({ state }) => state !== "missing");
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ target, name, state, detail, fix }, at) => [
    ...(findings[at - 1]?.target === target ? [] : [`${at > 0 ? "\n" : ""}${target}`]),
    `  ${MARKS[state]} ${name.padEnd(width)}  ${detail}`,
    ...(fix === undefined ? [] : [`    ${" ".repeat(width)}  → ${fix}`]),
  ]);
  return { json: { findings, ok }, text: lines.join("\n"), exitCode: ok ? EXIT.done : EXIT.missing };
}

const MARKS = { ok: "✓", warning: "!", missing: "✗" } as const;
