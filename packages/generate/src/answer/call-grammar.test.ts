import { Constraint, parseGrammar, Vocabulary } from "@llm/grammar";
import { describe, expect, it } from "vitest";
import { AnswerParser } from "./answer-parser.ts";
import { callGrammar } from "./call-grammar.ts";
import { type CallFormat, callFormat } from "./formats.ts";

const tools = [
  { name: "now" },
  {
    name: "add",
    parameters: {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "integer" } },
      required: ["a", "b"],
    },
  },
];
const bytes = new Vocabulary(
  Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  [],
);

describe.each(["hermes", "llama3", "mistral", "json"] as const)("calls in the form %s", (id: CallFormat["id"]) => {
  /** Follows the grammar, preferring whichever allowed byte comes first in `taste`. */
  const write = (parallel: boolean, taste: string): string => {
    const matcher = new Constraint(parseGrammar(callGrammar(callFormat(id), tools, { parallel })), bytes).matcher();
    const said: number[] = [];
    for (let room = 900; !matcher.done && !(matcher.complete && !parallel); room--) {
      const mask = matcher.mask(room);
      const allowed = (byte: number) => ((mask[byte >>> 5] >>> (byte & 31)) & 1) === 1;
      const next =
        Array.from(taste, (char) => char.charCodeAt(0)).find(allowed) ??
        bytes.tokens.findIndex((_, byte) => allowed(byte));
      matcher.accept(next);
      said.push(next);
      if (matcher.complete && said.length > 300) break;
    }
    return Buffer.from(said).toString();
  };

  it.each([
    [false, "n}"],
    [false, "a1}"],
    [true, "a1};,\n< "],
  ])("that its grammar writes are read again (several: %s)", (parallel, taste) => {
    const parser = new AnswerParser({ calls: callFormat(id) });
    const parts = [...parser.push(write(parallel, taste)), ...parser.end()];
    expect(parts.filter(({ kind }) => kind === "text")).toEqual([]);
    expect(parser.calls).toBeGreaterThan(parallel ? 1 : 0);
    for (const part of parts) if (part.kind === "call") expect(tools.map(({ name }) => name)).toContain(part.name);
    for (let index = 0; index < parser.calls; index++) {
      const text = parts.map((part) => (part.kind === "arguments" && part.index === index ? part.text : "")).join("");
      expect(JSON.parse(text)).toBeTypeOf("object");
    }
  });
});
