import { expect, test } from "vitest";
import { snippetsOf } from "./snippets.ts";

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
