import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";

export interface RawOptions {
  /** How long to listen. */
  readonly ms?: number;
  /** Between one chunk and the next. */
  readonly pauseMs?: number;
  /** Says after the last chunk that no more comes. */
  readonly halfClose?: boolean;
  /** Breaks the connection off after so long. */
  readonly breakMs?: number;
  readonly encoding?: "utf8" | "latin1";
}

/** Sends bytes as they are, and gives all that comes back until the server closes or `ms` have passed. */
export function rawRequest(
  port: number,
  chunks: readonly string[],
  { ms = 3000, pauseMs, halfClose = false, breakMs, encoding = "utf8" }: RawOptions = {},
): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const over = new AbortController();
    const signal = over.signal;
    const socket = connect(port, "127.0.0.1", async () => {
      for (const [i, chunk] of chunks.entries()) {
        if (pauseMs !== undefined && i > 0) await setTimeout(pauseMs, undefined, { signal }).catch(() => {});
        if (socket.writable) socket.write(chunk, encoding);
      }
      if (halfClose) socket.end();
      if (breakMs !== undefined)
        setTimeout(breakMs, undefined, { signal }).then(
          () => socket.resetAndDestroy(),
          () => {},
        );
    });
    setTimeout(ms, undefined, { signal }).then(
      () => socket.destroy(),
      () => {},
    );
    socket.on("data", (data) => (heard += data.toString("latin1")));
    socket.on("error", () => {}); // what was heard before it is the answer
    socket.on("close", () => {
      over.abort();
      resolve(heard);
    });
  });
}
