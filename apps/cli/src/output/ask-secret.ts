/** Asks for a line on a terminal that doesn't show what is typed; undefined where the input ends, an AbortError for Ctrl-C or `signal`. */
export function askSecret(
  stdin: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  prompt: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  output.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  return new Promise((resolve, reject) => {
    let line = "";
    const leave = () => {
      signal.removeEventListener("abort", interrupted);
      stdin.off("data", read);
      stdin.setRawMode(false);
      stdin.pause();
      output.write("\n");
    };
    const finish = (answer: string | undefined) => {
      leave();
      resolve(answer);
    };
    const interrupted = () => {
      leave();
      reject(new DOMException("interrupted", "AbortError"));
    };
    const read = (text: string) => {
      for (const char of text) {
        if (char === "\r" || char === "\n") return finish(line);
        if (char === "\u0003") return interrupted(); // Ctrl-C
        if (char === "\u0004") return finish(undefined); // Ctrl-D
        if (char === "\u007f" || char === "\b") line = line.slice(0, -1);
        else line += char;
      }
    };
    signal.addEventListener("abort", interrupted, { once: true });
    stdin.on("data", read);
  });
}
