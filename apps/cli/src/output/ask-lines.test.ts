import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askLines } from "./ask-lines.ts";

const CTRL_D = "\x04";

/** A terminal at which somebody types one of these whenever they are asked. */
function typing(...answers: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const left = [...answers];
  let asked = 0;
  output.on("data", (text: Buffer) => {
    if (!String(text).includes("> ")) return;
    asked++;
    setImmediate(() => stdin.write(left.shift() ?? CTRL_D));
  });
  return {
    stdin,
    lines: askLines(stdin as never, output as never, "> ", new AbortController().signal),
    asked: () => asked,
  };
}

test("every line is asked for", async () => {
  const { lines, asked } = typing("one\r", "two\r");
  expect(await Array.fromAsync(lines)).toEqual(["one", "two"]);
  expect(asked()).toBe(3);
});

test("input that ends while a line is worked on ends the lines after it", async () => {
  const { stdin, lines, asked } = typing("one\r");
  const seen: string[] = [];
  for await (const line of lines) {
    seen.push(line);
    stdin.write(CTRL_D);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(seen).toEqual(["one"]);
  expect(asked()).toBe(1);
});
