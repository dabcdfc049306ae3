import { expect, test } from "vitest";
import { HELP, readLine } from "./line.ts";

test.each([
  ["", { kind: "nothing" }],
  ["  ", { kind: "nothing" }],
  [" /clear ", { kind: "command", command: "/clear" }],
  ["/claer", { kind: "misspelled", note: "did you mean /clear?" }],
  ["/Exit", { kind: "misspelled", note: "did you mean /exit?" }],
  ["/clear what I said", { kind: "text", text: "/clear what I said" }],
  ["/usr/bin/exit", { kind: "text", text: "/usr/bin/exit" }],
  ["/pronounce", { kind: "text", text: "/pronounce" }],
  [" clear", { kind: "text", text: " clear" }],
])("%j", (line, read) => {
  expect(readLine(line)).toEqual(read);
});

test("the help names every command, and what Ctrl-C does", () => {
  for (const name of ["/clear", "/exit", "/help", "throw the line away; twice, end"]) expect(HELP).toContain(name);
});
