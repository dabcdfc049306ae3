/** The last step of `.ci/run`: prints what failed and what was skipped, then the one line that counts. */
import { readFileSync } from "node:fs";
import { readReports, summarise, unreviewedSkips } from "./summary.ts";

const reviewed: Record<string, string> = JSON.parse(readFileSync(new URL("../skips.json", import.meta.url), "utf8"));
const extraFailures = process.argv.slice(2); // steps besides the tests that failed, by name
const summary = summarise(readReports());
const unreviewed = unreviewedSkips(summary.skipped, reviewed);

for (const note of summary.notes) console.log(`failed: ${note}`);
for (const step of extraFailures) console.log(`failed: ${step}`);
for (const test of summary.skipped)
  console.log(
    `skipped: ${test} (${reviewed[test] ?? "NOT REVIEWED: add it to tooling/repo/skips.json with its reason"})`,
  );

const failed = summary.failed + extraFailures.length + unreviewed.length;
console.log(`${summary.passed} passed, ${failed} failed, ${summary.skipped.length} skipped`);
process.exitCode = failed > 0 || summary.passed === 0 ? 1 : 0;
