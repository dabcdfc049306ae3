import { invalid } from "../error.ts";
import { translateRegex } from "../split/regex.ts";
import { isNode, type JsonNode } from "./json-node.ts";

/** Finds the places where something occurs, in order and without overlap. */
export type Finder = (text: string) => Iterable<readonly [start: number, end: number]>;

export function findRegex(regex: RegExp): Finder {
  return function* (text) {
    let from = -1;
    for (const { index, 0: found } of text.matchAll(regex)) {
      // Nothing, right behind a match, is no match to Rust and Oniguruma; V8 also finds it between the halves of a character.
      if (found === "" && (index === from || splitsPair(text, index))) continue;
      from = index + found.length;
      yield [index, from];
    }
  };
}

function splitsPair(text: string, at: number): boolean {
  return at > 0 && at < text.length && text.codePointAt(at - 1)! > 0xffff;
}

export function findString(needle: string): Finder {
  return function* (text) {
    if (needle === "") return;
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length))
      yield [at, at + needle.length];
  };
}

/** `{"String": …}` or `{"Regex": …}`, as tokenizer.json writes patterns; a plain string is taken as one to find. */
export function readPattern(node: JsonNode): {
  readonly regex?: string;
  readonly text?: string;
  readonly find: Finder;
} {
  const pattern = node.pattern;
  if (typeof pattern === "string") return { text: pattern, find: findString(pattern) };
  if (isNode(pattern)) {
    if (typeof pattern.String === "string") return { text: pattern.String, find: findString(pattern.String) };
    if (typeof pattern.Regex === "string")
      return { regex: pattern.Regex, find: findRegex(translateRegex(pattern.Regex, "oniguruma")) };
  }
  throw invalid(`${String(node.type)} has a pattern that is neither a String nor a Regex`);
}
