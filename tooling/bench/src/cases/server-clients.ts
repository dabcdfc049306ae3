import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/**
 * Clients of the server bench: each message is a list of bodies, which are asked at once and read to their ends. They do no
 * more than that, since they share the machine with the server: no HTTP library, and one connection and one buffer for each,
 * which they keep.
 */
const { hostname, port, host } = new URL(workerData as string);

/** What a stream ends with: its last event, the end of that chunk, and the chunk of nothing. */
const END = "data: [DONE]\n\n\r\n0\r\n\r\n";

class Client {
  readonly #socket: Socket;
  #begin = "";
  #tail = "";
  #ended: (() => void) | undefined;

  constructor() {
    const callback = (count: number, buffer: Uint8Array): boolean => {
      const heard = Buffer.from(buffer.buffer, buffer.byteOffset, count);
      this.#begin ||= heard.toString("latin1", 0, Math.min(count, 200));
      this.#tail = (this.#tail + heard.toString("latin1", Math.max(0, count - END.length))).slice(-END.length);
      if (this.#tail === END) this.#ended?.();
      return true;
    };
    const onread = { buffer: Buffer.alloc(65_536), callback };
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
  }

  async ask(body: string): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, "connect");
    this.#begin = this.#tail = "";
    const ended = new Promise<void>((resolve, reject) => {
      this.#ended = resolve;
      this.#socket.once("close", () => reject(new Error(`no answer: ${this.#begin}`)));
    });
    const head = [
      "POST /v1/completions HTTP/1.1",
      `host: ${host}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    this.#socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
    await ended;
    this.#socket.removeAllListeners("close");
    if (!this.#begin.startsWith("HTTP/1.1 200")) throw new Error(`no answer: ${this.#begin}`);
  }
}

const clients: Client[] = [];

parentPort!.on("message", async (bodies: readonly string[]) => {
  while (clients.length < bodies.length) clients.push(new Client());
  await Promise.all(bodies.map((body, i) => clients[i]!.ask(body)));
  parentPort!.postMessage("done");
});
