import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, workspacePackages } from "./workspace.ts";

interface Assertion {
  readonly fullName: string;
  readonly status: string;
}

/** vitest's JSON report, as far as it is read here. */
interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[]; // "package: test"
  readonly notes: readonly string[];
}

/** Adds up the reports of all packages. A package without a report, or a file that broke before its tests, is a failure. */
export function summarise(reports: ReadonlyMap<string, Report | undefined>): Summary {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  const notes: string[] = [];
  for (const [name, report] of reports) {
    if (report === undefined) {
      failed++;
      notes.push(`${name}: no test report`);
      continue;
    }
    for (const file of report.testResults) {
      if (file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")) {
        failed++;
        notes.push(`${name}: ${file.name} broke outside its tests`);
      }
      for (const test of file.assertionResults) {
        if (test.status === "passed") passed++;
        else if (test.status === "failed") {
          failed++;
          notes.push(`${name}: ${test.fullName}`);
        } else skipped.push(`${name}: ${test.fullName}`);
      }
    }
  }
  return { passed, failed, skipped, notes };
}

/** Skips that nobody has reviewed: each must be on the list, with its reason. */
export function unreviewedSkips(skipped: readonly string[], reviewed: Readonly<Record<string, string>>): string[] {
  return skipped.filter((test) => !(test in reviewed));
}

/** Reads the report that each package's last test run left. */
export function readReports(): Map<string, Report | undefined> {
  const reports = new Map<string, Report | undefined>();
  for (const pkg of workspacePackages()) {
    if (!pkg.manifest.scripts?.test) continue;
    const file = join(root, pkg.dir, ".test/results.json");
    reports.set(pkg.name, existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);
  }
  return reports;
}
