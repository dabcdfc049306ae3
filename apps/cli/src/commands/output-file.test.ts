import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "../exit.ts";
import { checkOutput, problems, writeOutput } from "./output-file.ts";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "llm-output-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a file gets its folder first, and its text in the end", async () => {
  const file = join(scratch(), "a", "b.html");
  await checkOutput("--html", file);
  expect(await writeOutput("--html", file, () => "text")).toBeUndefined();
  expect(readFileSync(file, "utf8")).toBe("text");
  await checkOutput("--html", file);
  await checkOutput("--html", undefined);
  expect(await writeOutput("--html", undefined, () => "text")).toBeUndefined();
});

test("a folder is refused before anything is done", async () => {
  await expect(checkOutput("--html", scratch())).rejects.toThrow(UsageError);
});

test("what can't be written any more is told beside the results", async () => {
  const folder = scratch();
  const file = join(folder, "page.html");
  await checkOutput("--html", file);
  rmSync(folder, { recursive: true });
  const problem = await writeOutput("--html", file, () => "text");
  expect(problem).toBe(`--html ${file} can't be written (ENOENT); all else is done`);
  expect(problems("it differs", problem)).toEqual({ problem: `it differs; ${problem}` });
  expect(problems(undefined)).toEqual({});
});
