import { constants } from "node:os";
import { EXIT } from "./exit.ts";
import { main } from "./main.ts";

/** Runs the program on this process: its arguments, streams and signals. */
export async function runProcess(): Promise<void> {
  const stop = new AbortController();
  let asked = false;
  const onSignal = () => {
    // The second time, whoever asks means now.
    if (asked) process.exit(128 + constants.signals.SIGINT);
    asked = true;
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // `llm … | head` closes the pipe: that is no error of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(
      `llm: the output can't be written (${error.code}); make room where it goes, or send it elsewhere\n`,
    );
    process.exit(EXIT.failed);
  });
  // Who reads what is said beside it may leave, too: the work goes on.
  process.stderr.on("error", () => {});
  process.exitCode = await main(process.argv.slice(2), { streams: process, env: process.env, signal: stop.signal });
  process.off("SIGINT", onSignal);
  process.off("SIGTERM", onSignal);
}
