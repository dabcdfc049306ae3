import { Constraint, parseGrammar, Vocabulary } from "@llm/grammar";
import { describe, expect, it } from "vitest";
import { AnswerParser } from "./answer-parser.ts";
import { answerGrammar, callGrammar } from "./call-grammar.ts";
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

describe("an answer that may be a call", () => {
  const matches = (id: CallFormat["id"], text: string, options: Parameters<typeof answerGrammar>[2] = {}): boolean =>
    new Constraint(parseGrammar(answerGrammar(callFormat(id), tools, options)), bytes).matches(text);
  const now = '{"name": "now", "arguments": {}}';
  const tagged = `<tool_call>\n${now}\n</tool_call>`;

  it.each([
    "",
    "Just text.\n",
    "<tool_cal",
    "a < b <tool <<tool_cal<tool_calls>",
    tagged,
    `Let me see.\n${tagged}`,
    `<tool_cal${tagged}\n${tagged}`,
  ])("says what it likes around its calls: %j", (text) => {
    expect(matches("hermes", text)).toBe(true);
  });

  it.each(["<tool_call>", 'so <tool_call>\n{"name": "other"}', `${tagged} and more`, "<<tool_call>{}"])(
    "has none that is no call: %j",
    (text) => {
      expect(matches("hermes", text)).toBe(false);
    },
  );

  it("has one at most where that is asked", () => {
    expect(matches("hermes", `x ${tagged}`, { parallel: false })).toBe(true);
    expect(matches("hermes", `${tagged}\n${tagged}`, { parallel: false })).toBe(false);
  });

  it.each([
    ["json", "Text {with} brackets", true],
    ["json", "```python\nx = {}\n```", true],
    ["json", "```js\nx\n```", true],
    ["json", "`now`", true],
    ["json", now, true],
    ["json", `[${now}]`, true],
    ["json", '{"name": "other", "arguments": {}}', false],
    ["json", " {}", false],
    ["json", "```json\n{}", false],
    ["json", "``` {}", false],
    ["llama3", "<b>bold</b>", true],
    ["llama3", "<|python_tag|>now", false],
    ["llama3", now.replace("arguments", "parameters"), true],
    ["mistral", "a [link] [TOOL", true],
    ["mistral", `Hm. [TOOL_CALLS] [${now}]`, true],
    ["mistral", "[TOOL_CALLS] now", false],
  ] as const)("in the form %s: %j, %s", (id, text, expected) => {
    expect(matches(id, text)).toBe(expected);
    const parser = new AnswerParser({ calls: callFormat(id) });
    const parts = [...parser.push(text), ...parser.end()];
    // What is allowed is read as what it was meant to be.
    if (expected) expect(parser.calls > 0).toBe(text.includes('"name"'));
    const said = parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
    if (expected && parser.calls === 0) expect(said).toBe(text);
  });

  it("or of a form of its own", () => {
    const text = { choice: ["yes", "no"] };
    for (const said of ["yes", tagged]) expect(matches("hermes", said, { text })).toBe(true);
    expect(matches("hermes", "maybe", { text })).toBe(false);
  });
});
