import { expect, test } from "vitest";
import { compilerProblems, snippetsOf } from "./snippets.ts";

test("a block that imports begins a program, another goes on with it, at the line where it stands", () => {
  const page = [
    "# A page",
    "```ts",
    'import { a } from "a";',
    "a();",
    "```",
    "so",
    "```ts",
    "a(2);",
    "```",
    "```sh",
    "no",
    "```",
  ];
  const [only, ...rest] = snippetsOf("page.md", page.join("\n"));
  expect(rest).toEqual([]);
  expect(only).toMatchObject({ page: "page.md", line: 3 });
  expect(only!.code.split("\n")[5]).toBe("a(2);"); // line 8 of the page
});

test("a compiler that fails without naming a page is a problem of its own", () => {
  const snippets = new Map([["a.ts", { page: "page.md", line: 5, code: "" }]]);
  const ran = { status: 0, stdout: "", stderr: "" };
  expect(compilerProblems(ran, snippets)).toEqual([]);
  const refused = { ...ran, status: 2, stdout: "a.ts(3,1): error TS1: no\n" };
  expect(compilerProblems(refused, snippets)).toEqual(["page.md:7: TS1: no"]);
  const odd = { ...ran, status: 1, stdout: "error TS5083: Cannot read file 'tsconfig.base.json'.\n" };
  expect(compilerProblems(odd, snippets)).toEqual([expect.stringContaining("TS5083")]);
  const absent = { ...ran, status: null, error: new Error("spawn tsc ENOENT") };
  expect(compilerProblems(absent, snippets)).toEqual(["pages could not be compiled: spawn tsc ENOENT"]);
});
