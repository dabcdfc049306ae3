import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";

/** The JSON value on each line of a file; `check` turns it into what is wanted, or says what that would be. */
export async function* readJsonLines<T>(
  file: string,
  what: string,
  check: (value: unknown) => T | undefined,
): AsyncGenerator<T> {
  const input = createReadStream(file, "utf8");
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === "") continue;
    const value = check(parse(line));
    if (value === undefined) throw new UsageError(`${file}: line ${number} is not ${what}`);
    yield value;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Runs `each` over the lines; prints each result as JSON on a line at once, or collects all for a JSON document. */
export async function mapLines<T, R>(lines: AsyncIterable<T>, each: (value: T) => R, io: Io): Promise<R[]> {
  const { json, write, signal } = io;
  const results: R[] = [];
  for await (const value of lines) {
    signal.throwIfAborted();
    const result = each(value);
    if (json) results.push(result);
    else write(`${JSON.stringify(result)}\n`);
  }
  return results;
}
