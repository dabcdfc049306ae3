import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { NativeError } from "../error.ts";
import type { Bmrt, BmrtCommand, BmrtNet, BmrtOptions } from "./device.ts";
import { errorOf, type Method, type OpenArgs, type Opened, type Question, type Reply } from "./messages.ts";

const PROCESS = fileURLToPath(new URL(`./process${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));

/** How many of the last lines that the libraries printed an error may quote from. */
const REMEMBERED_LINES = 20;
/** How long a process that ended may take to say why. */
const LAST_WORDS_MS = 200;
/** A device that hangs doesn't keep the program from ending. */
const CLOSE_MS = 10_000;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The vendor's libraries in a process of their own. */
export class IsolatedBmrt implements Bmrt {
  devices = 0;
  newer = false;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #lines: string[] = [];
  readonly #gone: Promise<void>;
  #next = 0;
  #ended: NativeError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(onOutput: BmrtOptions["onOutput"]) {
    this.#child = fork(PROCESS, [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(line);
        if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
        onOutput?.(line);
      });
    this.#child.on("message", (reply: Reply) => this.#settle(reply));
    this.#gone = new Promise((resolve) => {
      this.#child.on("error", (error) => this.#end(`can't be started: ${error.message}`, resolve));
      this.#child.on("exit", (code, signal) => {
        // What it printed last may still be on its way; "close" would say when it is all there, and doesn't always come.
        const end = () => this.#end(`ended (${signal ?? `exit ${code}`})`, resolve);
        this.#child.once("close", end);
        setTimeout(end, this.#closing ? 0 : LAST_WORDS_MS);
      });
    });
    this.#keepAlive(false);
  }

  static async open({ libraries, devices, onOutput }: BmrtOptions): Promise<IsolatedBmrt> {
    const bmrt = new IsolatedBmrt(onOutput);
    try {
      const args: OpenArgs = { libraries, ...(devices ? { devices } : {}) };
      const opened = (await bmrt.#ask("open", args)) as Opened;
      bmrt.devices = opened.devices;
      bmrt.newer = opened.newer;
      return bmrt;
    } catch (error) {
      await bmrt.#kill();
      throw error;
    }
  }

  load(device: number, file: string): Promise<readonly BmrtNet[]> {
    return this.#ask("load", device, file) as Promise<readonly BmrtNet[]>;
  }

  allocate(device: number, bytes: number): Promise<number> {
    return this.#ask("allocate", device, bytes) as Promise<number>;
  }

  free(device: number, buffer: number): Promise<void> {
    return this.#ask("free", device, buffer) as Promise<void>;
  }

  run(commands: readonly BmrtCommand[]): Promise<readonly Uint8Array[]> {
    return this.#ask("run", commands) as Promise<readonly Uint8Array[]>;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const freed = this.#ask("close").catch(() => undefined); // it is going anyway
    this.#ended = new NativeError("closed", "the devices are closed");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_MS);
    await Promise.race([freed, this.#gone]);
    this.#keepAlive(true);
    if (this.#child.connected) this.#child.disconnect();
    await this.#gone;
    clearTimeout(timer);
  }

  async #kill(): Promise<void> {
    this.#keepAlive(true);
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  #ask(method: Method, ...args: unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const question: Question = { id: this.#next++, method, args };
    return new Promise((resolve, reject) => {
      this.#pending.set(question.id, { resolve, reject });
      this.#keepAlive(true);
      this.#child.send(question, (error) => {
        // When the process is gone as well, its end says more.
        if (error) void this.#gone.then(() => this.#settle({ id: question.id, error: lostMessage(error) }));
      });
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#keepAlive(false);
    if ("error" in reply) pending?.reject(errorOf(reply.error));
    else pending?.resolve(reply.value);
  }

  #end(how: string, resolve: () => void): void {
    // Assertions say where and what; with none of them, the last words may still help.
    const said = this.#lines.findLast((line) => /assert|fatal|error/i.test(line)) ?? this.#lines.at(-1);
    const message = `the vendor's runtime ${how}${said === undefined ? "" : `: ${said.trim()}`}`;
    this.#ended ??= new NativeError("device-failed", message);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    resolve();
  }

  /** The program may end while nothing is asked, whether or not the devices were closed. */
  #keepAlive(yes: boolean): void {
    const channel = this.#child.channel;
    const streams = [this.#child.stdout, this.#child.stderr] as unknown as readonly { ref(): void; unref(): void }[];
    for (const part of [this.#child, channel, ...streams]) yes ? part?.ref?.() : part?.unref?.();
  }
}

function lostMessage(error: Error): { readonly code: "device-failed"; readonly message: string } {
  return { code: "device-failed", message: `the vendor's runtime can't be reached: ${error.message}` };
}
