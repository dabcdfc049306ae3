import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { isAbort } from "../exit.ts";
import { createIo } from "./create-io.ts";

const CTRL_C = "\x03";
const SHOW_CURSOR = "\x1b[?25h";

/** Streams that nobody types into or ends, and somebody to interrupt what reads them. */
function open({ terminal = false } = {}) {
  const stream = () =>
    Object.assign(new PassThrough(), { isTTY: terminal, setRawMode: () => {}, columns: 80 }) as never as PassThrough;
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const process = new EventEmitter();
  const stop = new AbortController();
  const streams = { stdin, stdout, stderr, once: process.once.bind(process) };
  return { io: createIo(streams as never, {}, stop.signal, false), stdin, stderr, process, stop };
}

test("an interruption ends the wait for text", async () => {
  const { io, stop } = open();
  const reading = io.readStdin();
  stop.abort();
  expect(isAbort(await reading.catch((error) => error))).toBe(true);
});

test("an interruption ends lines, before or while they are read", async () => {
  const { io, stop } = open();
  const reading = Array.fromAsync(io.lines("> "));
  stop.abort();
  expect(await reading).toEqual([]);
  expect(await Array.fromAsync(io.lines("> "))).toEqual([]);
});

test("an interruption ends the wait for a secret, whether typed or sent", async () => {
  const sent = open({ terminal: true });
  const asking = sent.io.secret("Token: ");
  sent.stop.abort();
  expect(isAbort(await asking.catch((error) => error))).toBe(true);
  const typed = open({ terminal: true });
  const waiting = typed.io.secret("Token: ");
  typed.stdin.write(`abc${CTRL_C}`);
  expect(isAbort(await waiting.catch((error) => error))).toBe(true);
});

test("whoever leaves in the middle of a stage finds the cursor again", () => {
  const { io, stderr, process } = open({ terminal: true });
  io.progress.begin("pack");
  const written = vi.spyOn(stderr, "write");
  process.emit("exit");
  expect(written).toHaveBeenCalledWith(expect.stringContaining(SHOW_CURSOR));
});
