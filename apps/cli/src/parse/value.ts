import { choiceCalled } from "@llm/target";
import type { CliOption } from "../definition/option.ts";
import { UsageError } from "../exit.ts";

/**
 * An option's value from text, checked. `said` is how the user said it ("--top-k", "LLM_TOP_K"), for the error.
 */
export function parseValue(option: CliOption, text: string, said: string): unknown {
  switch (option.kind) {
    case "boolean":
      return parseBoolean(text, said);
    case "number":
      return parseNumber(option, text, said);
    case "list":
      return parseList(text);
    case "choice":
      return parseChoice(option, text, said);
    case "string":
      return text;
  }
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

function parseBoolean(text: string, said: string): boolean {
  const value = BOOLEANS[text.toLowerCase()];
  if (value === undefined) throw new UsageError(`${said} is true or false, not "${text}"`);
  return value;
}

function parseNumber(option: CliOption, text: string, said: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (option.whole && /^[+-]?\d+$/.test(text.trim()) && !Number.isSafeInteger(value))
    throw new UsageError(
      `${said} is between ${option.min ?? Number.MIN_SAFE_INTEGER} and ${option.max ?? Number.MAX_SAFE_INTEGER}, not ${text.trim()}`,
    );
  if (!Number.isFinite(value) || (option.whole && !Number.isSafeInteger(value)))
    throw new UsageError(`${said} is ${option.whole ? "a whole number" : "a number"}, not "${text}"`);
  const { min, max, above } = option;
  if (above !== undefined && value <= above) throw new UsageError(`${said} is above ${above}, not ${value}`);
  if (min !== undefined && max !== undefined && (value < min || value > max))
    throw new UsageError(`${said} is between ${min} and ${max}, not ${value}`);
  if (min !== undefined && value < min) throw new UsageError(`${said} is at least ${min}, not ${value}`);
  if (max !== undefined && value > max) throw new UsageError(`${said} is at most ${max}, not ${value}`);
  return value;
}

/** `0,1,2` and `[0, 1, 2]` alike; items that are numbers become numbers. */
function parseList(text: string): readonly (string | number)[] {
  const inner = text.trim().replace(/^\[(.*)\]$/s, "$1");
  if (inner.trim() === "") return [];
  return inner.split(",").map((item) => {
    const trimmed = item.trim();
    return /^-?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
  });
}

function parseChoice(option: CliOption, text: string, said: string): string {
  const found = choiceCalled(option, text);
  if (found === undefined) throw new UsageError(`${said} is one of ${option.choices?.join(", ")}, not "${text}"`);
  return found;
}

/** The values of an option that may be repeated, from the one text that an environment variable has: a JSON list is several. */
export function parseRepeated(option: CliOption, text: string, said: string): readonly unknown[] {
  return textsOf(text).map((one) => parseValue(option, one, said));
}

function textsOf(text: string): readonly string[] {
  if (!text.startsWith("[")) return [text];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? list : [text];
  } catch {
    return [text]; // not JSON: a text that happens to begin like it
  }
}

/** `1,2,3` or `[1,2,3]` as token ids. */
export function parseIds(text: string, said: string): Int32Array {
  const items = parseList(text);
  const bad = items.find(
    (item) => typeof item !== "number" || !Number.isInteger(item) || item < 0 || item > 0x7fffffff,
  );
  if (bad !== undefined) throw new UsageError(`${said} takes token ids separated by commas; "${bad}" is none`);
  return Int32Array.from(items as number[]);
}
