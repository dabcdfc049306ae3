import { connect } from "node:net";

/** Sends bytes as they are, and gives all that comes back until the server closes or `ms` have passed. */
export function rawRequest(
  port: number,
  chunks: readonly string[],
  { ms = 3000, halfClose = false } = {},
): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => {
      for (const chunk of chunks) socket.write(chunk);
      if (halfClose) socket.end();
    });
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on("data", (data) => (heard += data.toString("latin1")));
    socket.on("error", () => {}); // what was heard before it is the answer
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}
