import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { main } from "../../main.ts";
import { testHome } from "../../testing/run-cli.ts";

const CTRL_C = "\x03";
const CTRL_D = "\x04";

const { home, remove } = testHome();
afterAll(remove);

/** The program at a terminal, where somebody types one of these whenever they are asked for a line. */
async function chat(...keys: readonly string[]) {
  const terminal = () => Object.assign(new PassThrough(), { isTTY: true, columns: 80, setRawMode: () => {} });
  const [stdin, stdout, stderr] = [terminal(), terminal(), new PassThrough()];
  const left = [...keys];
  let shown = "";
  let typing: NodeJS.Immediate | undefined;
  stdout.on("data", (data: Buffer) => {
    shown += String(data);
    // Only what is asked last: a line that is thrown away is first drawn again without what was typed.
    clearImmediate(typing);
    typing = setImmediate(() => {
      if (shown.endsWith("> \x1b[3G") && left.length > 0) stdin.write(left.shift());
    });
  });
  stderr.resume();
  const code = await main(["chat", "demo", "--greedy", "--max-new-tokens", "2"], {
    streams: Object.assign(new EventEmitter(), { stdin, stdout, stderr }) as never,
    env: { HOME: home, XDG_CACHE_HOME: home, HF_HUB_OFFLINE: "1" },
    signal: new AbortController().signal,
  });
  return { code, left, hints: shown.split("Ctrl-C again, or Ctrl-D, ends the chat").length - 1 };
}

test("Ctrl-C at the prompt tells how a conversation ends, and ends it the second time", async () => {
  expect(await chat(CTRL_C, CTRL_C, "import os\r")).toEqual({ code: 0, left: ["import os\r"], hints: 1 });
});

test("what was typed is thrown away, and what is said between counts", async () => {
  const keys = [`half a line${CTRL_C}`, `another${CTRL_C}`, "import os\r", CTRL_C, CTRL_D];
  expect(await chat(...keys)).toEqual({ code: 0, left: [], hints: 3 });
});
