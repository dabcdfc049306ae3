import { buildChecks } from "./build-checks.ts";
import type { Check, ConformanceContext } from "./check.ts";
import { sessionChecks } from "./session-checks.ts";
import { withSignal } from "./with-signal.ts";

export { type BuildContext, type Check, type ConformanceContext, ConformanceFailure } from "./check.ts";

/** What every target has to get right: plain functions, for tests and for `llm conformance` on a user's own hardware. */
export const conformance: readonly Check[] = [...buildChecks, ...sessionChecks];

export interface CheckResult {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** Why it failed or was skipped, in one line. */
  readonly reason?: string;
}

/**
 * Runs all checks that the context has what they need for, one after the other. Where the signal stops one, it is thrown:
 * a check that was stopped has neither passed nor failed.
 */
export async function runConformance(
  context: ConformanceContext,
  onResult: (result: CheckResult) => void = () => {},
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const stoppable = withSignal(context);
  for (const check of conformance) {
    const result = await runCheck(check, stoppable);
    results.push(result);
    onResult(result);
  }
  return results;
}

async function runCheck(check: Check, context: ConformanceContext): Promise<CheckResult> {
  const { name, run } = check;
  const reason = missing(check, context);
  if (reason !== undefined) return { name, state: "skipped", seconds: 0, reason };
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    await run(context);
    context.signal?.throwIfAborted();
    return { name, state: "passed", seconds: seconds() };
  } catch (error) {
    context.signal?.throwIfAborted();
    return {
      name,
      state: "failed",
      seconds: seconds(),
      reason: String(error instanceof Error ? error.message : error).split("\n", 1)[0]!,
    };
  }
}

function missing({ about, needsOracle }: Check, { open, build, oracle }: ConformanceContext): string | undefined {
  if (about === "session" ? !open : !build) return `no ${about === "session" ? "session to open" : "model to build"}`;
  return needsOracle && !oracle ? "nothing to compare numbers with" : undefined;
}
