import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What a measured engine can be told, a line of JSON each; it answers with numbers. */
export type Command =
  | { readonly do: "decode"; readonly depth: number; readonly steps: number; readonly rows: number }
  | { readonly do: "prefill"; readonly tokens: number };

/** What an engine says first. */
export interface Opened {
  /** From asking for the model to the first token after a prompt of 8. */
  readonly firstMs: number;
  readonly detail: string;
}

/** An engine in a process of its own: its threads, its memory, and nothing of the other's. */
export class Engine {
  readonly opened: Promise<Opened>;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  /** `program` lies beside this file; `args` are its own. */
  constructor(program: string, args: readonly string[]) {
    const file = fileURLToPath(new URL(program, import.meta.url));
    this.#child = spawn(process.execPath, [file, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.opened = this.#answer<Opened>();
    this.opened.catch(() => {}); // whoever waits for it hears of it
  }

  /** Tokens a second. */
  async rate(command: Command): Promise<number> {
    await this.opened;
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    return (await this.#answer<{ readonly rate: number }>()).rate;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin!.end();
    await gone;
  }

  async #answer<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error(`the engine's process ended (${this.#child.exitCode ?? this.#child.signalCode})`);
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }
}

/** What an engine's process is made of: how it opens, and how it runs so many tokens of so many sequences. */
export interface Runs {
  readonly vocab: number;
  readonly detail: string;
  /** Runs each sequence's tokens from position `at` on, whatever it held from there. */
  step(at: number, tokens: readonly Int32Array[]): Promise<void>;
  /** How it is to be run; the best of all settings counts. */
  readonly settings: readonly (() => void)[];
}

const CHUNK = 512;

/** Where others use the cores, wall time says who was lucky: LLM_BENCH_CPU_TIME=1 counts the process's own instead. */
export const CPU_TIME = process.env.LLM_BENCH_CPU_TIME === "1";

/** Milliseconds, of the one time or the other. */
export function clock(): number {
  if (!CPU_TIME) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Says the protocol's other half: opens, reports the first token, then answers commands until there are none. */
export async function serve(open: () => Promise<Runs>): Promise<void> {
  const start = clock();
  const runs = await open();
  const token = (index: number) => (index * 7919 + 13) % runs.vocab;
  const prompt = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => token(from + i));
  /** What each of so many sequences holds already, by their number. */
  const held = new Map<number, number>();
  const fill = async (depth: number, rows: number) => {
    if ((held.get(rows) ?? 0) >= depth) return;
    for (let at = 0; at < depth; at += CHUNK)
      await runs.step(at, Array(rows).fill(prompt(at, Math.min(at + CHUNK, depth))));
    held.clear();
    held.set(rows, depth);
  };
  const timed = async (tokens: number, work: () => Promise<void>) => {
    let rate = 0;
    for (const set of runs.settings) {
      set();
      const begin = clock();
      await work();
      rate = Math.max(rate, (tokens * 1000) / (clock() - begin));
    }
    return rate;
  };
  const answer = (said: object) => process.stdout.write(`${JSON.stringify(said)}\n`);
  await runs.step(0, [prompt(0, 8)]);
  answer({ firstMs: clock() - start, detail: `${runs.detail}${CPU_TIME ? "; CPU time" : ""}` } satisfies Opened);
  for await (const line of createInterface({ input: process.stdin })) {
    const command: Command = JSON.parse(line);
    if (command.do === "prefill") {
      held.clear();
      const work = async () => {
        for (let at = 0; at < command.tokens; at += CHUNK)
          await runs.step(at, [prompt(at, Math.min(at + CHUNK, command.tokens))]);
      };
      answer({ rate: await timed(command.tokens, work) });
      continue;
    }
    const { depth, rows, steps } = command;
    await fill(depth, rows);
    const one = (row: number, i: number) => Int32Array.of(token(row * 17 + i));
    const work = async () => {
      for (let i = 0; i < steps; i++)
        await runs.step(
          depth + i,
          Array.from({ length: rows }, (_, row) => one(row, i)),
        );
    };
    answer({ rate: await timed(rows * steps, work) });
  }
}
