import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/**
 * Clients of the server bench: each message is a list of bodies, which are asked at once and read to their ends. They do no
 * more than that, since they share the machine with the server: no HTTP library, one buffer for each.
 */
const { hostname, port, host } = new URL(workerData as string);

/** What a stream ends with: its last event, the end of that chunk, and the chunk of nothing. */
const END = "data: [DONE]\n\n\r\n0\r\n\r\n";

function ask(body: string): Promise<void> {
  const head = [
    "POST /v1/completions HTTP/1.1",
    `host: ${host}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return new Promise((resolve, reject) => {
    let begin: string | undefined;
    let tail = "";
    const callback = (count: number, buffer: Uint8Array): boolean => {
      const last = Buffer.from(buffer.buffer, buffer.byteOffset, count);
      begin ??= last.toString("latin1");
      tail = (tail + last.toString("latin1", Math.max(0, count - END.length))).slice(-END.length);
      if (tail === END) socket.end();
      return true;
    };
    const socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: Buffer.alloc(65_536), callback },
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (tail === END && begin?.startsWith("HTTP/1.1 200")) resolve();
      else reject(new Error(`no answer: ${begin?.slice(0, 200)}`));
    });
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  });
}

parentPort!.on("message", async (bodies: readonly string[]) => {
  await Promise.all(bodies.map(ask));
  parentPort!.postMessage("done");
});
