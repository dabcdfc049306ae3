import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { NativeError } from "../error.ts";
import type { QaicBuffer, QaicHost, QaicMapping, QaicOptions } from "./host.ts";
import { Answer, callBody, failureOf, frame, HEAD_BYTES, openBody, QUESTIONS } from "./messages.ts";

/** How many of the last lines that the library printed an error may quote from. */
const REMEMBERED_LINES = 20;
/** A device that hangs doesn't keep the program from ending. */
const CLOSE_MS = 10_000;

interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Loads a QPC onto devices and activates it. */
export async function openQaic(options: QaicOptions): Promise<QaicHost> {
  const host = new HostProcess(options);
  try {
    await host.open(options.qpc, options.devices);
    return host;
  } catch (error) {
    await host.close();
    throw error;
  }
}

class HostProcess implements QaicHost {
  mappings: readonly QaicMapping[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Pending[] = [];
  readonly #lines: string[] = [];
  readonly #gone: Promise<void>;
  #received: Buffer[] = [];
  #bytes = 0;
  #ended: NativeError | undefined;
  #closing: Promise<void> | undefined;

  constructor({ program, env = process.env, onOutput }: QaicOptions) {
    this.#child = spawn(program, [], { stdio: ["pipe", "pipe", "pipe"], env });
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      this.#lines.push(line);
      if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
      onOutput?.(line);
    });
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.stdin.on("error", () => {}); // that it has ended is told by its exit
    this.#gone = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#end(new NativeError("runtime-missing", `${program} can't be started: ${error.message}`));
        resolve();
      });
      this.#child.once("close", (code, signal) => {
        const said = this.#lines.at(-1);
        const how = signal ?? `exit ${code}`;
        this.#end(new NativeError("device-failed", `the runtime's process ended (${how})${said ? `: ${said}` : ""}`));
        resolve();
      });
    });
  }

  async open(qpc: string, devices: readonly number[]): Promise<void> {
    this.mappings = (await this.#ask(QUESTIONS.open, openBody(qpc, devices))).mappings();
  }

  async call(buffers: readonly QaicBuffer[]): Promise<readonly Uint8Array[]> {
    if (this.#closing) throw new NativeError("closed", "the devices are closed");
    const answer = await this.#ask(QUESTIONS.call, callBody(buffers));
    const outputs: Uint8Array[] = [];
    while (!answer.isAtEnd) outputs.push(answer.bytes());
    return outputs;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_MS);
    await this.#ask(QUESTIONS.close, new Uint8Array()).catch(() => undefined);
    this.#child.stdin.end();
    await this.#gone;
    clearTimeout(late);
  }

  /** Answers come in the order of their questions. */
  #ask(kind: number, body: Uint8Array): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(frame(kind, body));
    });
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= HEAD_BYTES) {
      if (this.#received[0]!.length < HEAD_BYTES) this.#received = [Buffer.concat(this.#received)];
      const length = HEAD_BYTES + Number(this.#received[0]!.readBigUInt64LE(4));
      if (this.#bytes < length) return;
      const all = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received);
      this.#received = all.length > length ? [all.subarray(length)] : [];
      this.#bytes -= length;
      this.#answer(all.readUInt32LE(0), new Answer(all.subarray(HEAD_BYTES, length)));
    }
  }

  #answer(kind: number, answer: Answer): void {
    const pending = this.#waiting.shift();
    if (kind === 0) pending?.resolve(answer);
    else pending?.reject(failureOf(kind, answer.text()));
  }

  #end(error: NativeError): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
