/** Asks for a line on a terminal that doesn't show what is typed; undefined when it is broken off. */
export function askSecret(
  stdin: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  prompt: string,
): Promise<string | undefined> {
  output.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  return new Promise((resolve) => {
    let line = "";
    const finish = (answer: string | undefined) => {
      stdin.off("data", read);
      stdin.setRawMode(false);
      stdin.pause();
      output.write("\n");
      resolve(answer);
    };
    const read = (text: string) => {
      for (const char of text) {
        if (char === "\r" || char === "\n") return finish(line);
        if (char === "\u0003" || char === "\u0004") return finish(undefined); // Ctrl-C, Ctrl-D
        if (char === "\u007f" || char === "\b") line = line.slice(0, -1);
        else line += char;
      }
    };
    stdin.on("data", read);
  });
}
