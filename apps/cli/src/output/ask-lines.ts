import { createInterface } from "node:readline";

/** Lines of a person at a terminal, or of a pipe. */
export interface Lines extends AsyncIterable<string> {
  /** Ctrl-C at the terminal, while this is open; a pipe's signals go their usual way. */
  onInterrupt(listener: () => void): void;
  /** What was typed of a line that isn't finished. */
  readonly typed: string;
  /** Throws that away, says something instead, and asks again. */
  startOver(line: string): void;
  close(): void;
}

/** Reads lines, with a prompt where a person types them, until the input ends or `signal` says stop. */
export function askLines(
  stdin: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  prompt: string,
  signal: AbortSignal,
): Lines {
  const terminal = Boolean(stdin.isTTY && output.isTTY);
  const reader = createInterface({ input: stdin, ...(terminal ? { output, prompt } : {}), terminal, signal });
  // The input can end while what was asked is still being answered; nothing is asked after that.
  let open = true;
  reader.once("close", () => {
    open = false;
  });
  return {
    onInterrupt: (listener) => void reader.on("SIGINT", listener),
    get typed() {
      return reader.line;
    },
    startOver: (line) => {
      // As if somebody pressed these keys: to the end of what is typed, and delete all before it.
      for (const name of ["e", "u"]) reader.write(null as never, { ctrl: true, name });
      output.write(`\n${line}\n`);
      reader.prompt();
    },
    close: () => reader.close(),
    async *[Symbol.asyncIterator]() {
      const lines = reader[Symbol.asyncIterator]();
      for (;;) {
        if (terminal && open) reader.prompt();
        const { value, done } = await lines.next();
        if (done) return;
        yield value;
      }
    },
  };
}
