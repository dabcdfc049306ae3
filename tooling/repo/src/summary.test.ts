import { expect, it } from "vitest";
import { summarise, unreviewedSkips } from "./summary.ts";

const file = (status: string, ...tests: [string, string][]) => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map(([fullName, status]) => ({ fullName, status })),
});

it("adds up what passed, failed and was skipped", () => {
  const summary = summarise(
    new Map([
      [
        "a",
        { success: false, testResults: [file("failed", ["one", "passed"], ["two", "failed"], ["three", "skipped"])] },
      ],
      ["b", { success: true, testResults: [file("passed", ["four", "passed"], ["five", "todo"])] }],
    ]),
  );
  expect(summary).toEqual({ passed: 2, failed: 1, skipped: ["a: three", "b: five"], notes: ["a: two"] });
});

it("counts a missing report and a file that broke before its tests as failures", () => {
  const summary = summarise(
    new Map([
      ["a", undefined],
      ["b", { success: false, testResults: [file("failed")] }],
    ]),
  );
  expect(summary).toMatchObject({ passed: 0, failed: 2 });
});

it("names the skips that are not on the reviewed list", () => {
  expect(unreviewedSkips(["a: three", "b: five"], { "b: five": "needs a card" })).toEqual(["a: three"]);
});
