import { addAbortSignal } from "node:stream";
import { askLines } from "./ask-lines.ts";
import { askSecret } from "./ask-secret.ts";
import type { Io } from "./io.ts";
import { plainProgress } from "./plain-progress.ts";
import { styleFor } from "./style.ts";
import { terminalProgress } from "./terminal-progress.ts";

/** The streams of a process, or a test's. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  /** Whoever ends the process, and however: what is on the terminal is tidied up before. */
  once(event: "exit", listener: () => void): unknown;
}

/** Io over a process's own streams. */
export function createIo(streams: Streams, env: Io["env"], signal: AbortSignal, json: boolean): Io {
  const { stdout, stderr, stdin } = streams;
  const lively = stderr.isTTY && env.TERM !== "dumb" && !env.CI;
  const progress = lively
    ? terminalProgress(stderr, styleFor(stderr, env))
    : plainProgress((text) => stderr.write(text));
  streams.once("exit", () => progress.close());
  return {
    json,
    terminal: stdout.isTTY,
    env,
    signal,
    progress,
    write: (text) => {
      if (!json) stdout.write(text);
    },
    document: (document) => {
      if (json) stdout.write(`${JSON.stringify(document)}\n`);
    },
    note: (line) => progress.line(line),
    lines: (prompt) => askLines(stdin, json ? stderr : stdout, prompt, signal),
    secret: (prompt) => askSecret(stdin, stderr, prompt, signal),
    readStdin: async () => {
      if (stdin.isTTY) return undefined;
      const chunks: Buffer[] = [];
      for await (const chunk of addAbortSignal(signal, stdin)) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}
