import { Constraint, parseGrammar, Vocabulary } from "@llm/grammar";
import { describe, expect, it } from "vitest";
import { AnswerParser } from "./answer-parser.ts";
import { afterThoughts, answerGrammar, callGrammar } from "./call-grammar.ts";
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
  {
    name: "note",
    parameters: {
      type: "object",
      properties: {
        body: { type: "string" },
        day: { type: "string", pattern: "^[a-z<]{2,4}$" },
        kind: { enum: ["big", "<b>", "</parameter>"] },
        tags: { type: "array", items: { $ref: "#/$defs/tag" } },
      },
      required: ["body", "kind", "tags"],
      $defs: { tag: { enum: ["a<b", 7] } },
    },
  },
];
const bytes = new Vocabulary(
  Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  [],
);

const FORMATS = ["hermes", "llama3", "mistral", "mistral-args", "qwen3-coder", "glm4", "json"] as const;

describe.each(FORMATS)("calls in the form %s", (id: CallFormat["id"]) => {
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
    [false, "nob<at"],
    [true, "a1};,\n< "],
  ])("that its grammar writes are read again (several: %s)", (parallel, taste) => {
    const parser = new AnswerParser({ calls: callFormat(id), tools });
    const parts = [...parser.push(write(parallel, taste)), ...parser.end()];
    expect(parts.filter(({ kind }) => kind === "text")).toEqual([]);
    expect(parser.calls).toBeGreaterThan(parallel ? 1 : 0);
    for (const part of parts) if (part.kind === "call") expect(tools.map(({ name }) => name)).toContain(part.name);
    for (let index = 0; index < parser.calls; index++) {
      const text = parts.map((part) => (part.kind === "arguments" && part.index === index ? part.text : "")).join("");
      const values = JSON.parse(text);
      expect(values).toBeTypeOf("object");
      if ("body" in values) {
        expect(values.body).toBeTypeOf("string");
        expect(["big", "<b>", "</parameter>"]).toContain(values.kind);
        for (const tag of values.tags) expect(["a<b", 7]).toContain(tag);
      }
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

  it.each([
    ["mistral-args", "Hm. [TOOL_CALLS]now[ARGS]{}", true],
    ["mistral-args", '[TOOL_CALLS]add[ARGS]{"a": 1, "b": 2}[TOOL_CALLS]now[ARGS]{}', true],
    ["mistral-args", "[TOOL_CALLS]rm[ARGS]{}", false],
    ["mistral-args", '[TOOL_CALLS]add[ARGS]{"a": 1}', false],
    ["qwen3-coder", "So:\n<tool_call>\n<function=now>\n</function>\n</tool_call>", true],
    [
      "qwen3-coder",
      "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\n-2\n</parameter>\n</function>\n</tool_call>",
      true,
    ],
    ["qwen3-coder", "<tool_call>\n<function=add>\n<parameter=a>\none\n</parameter>\n</function>\n</tool_call>", false],
    [
      "qwen3-coder",
      '<tool_call>\n<function=note>\n<parameter=body>\nif a < b:\n  "x"\n</parameter>\n<parameter=day>\nmon\n</parameter>\n<parameter=kind>\n<b>\n</parameter>\n<parameter=tags>\n["a\\u003cb", 7]\n</parameter>\n</function>\n</tool_call>',
      true,
    ],
    [
      "qwen3-coder",
      "<tool_call>\n<function=now>\n<parameter=zone>\nUTC\n</parameter>\n</function>\n</tool_call>",
      true,
    ],
    ["glm4", "<tool_call>now\n</tool_call>", true],
    [
      "glm4",
      "<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n<arg_key>b</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
      true,
    ],
    ["glm4", "<tool_call>rm\n</tool_call>", false],
  ] as const)("in the form %s: %j, %s", (id, text, expected) => {
    expect(matches(id, text)).toBe(expected);
    const parser = new AnswerParser({ calls: callFormat(id), tools });
    parser.push(text);
    if (expected) expect(parser.calls).toBeGreaterThan(0);
  });

  it.each(["qwen3-coder", "glm4"] as const)("says what can't be held to where arguments stand one by one: %s", (id) => {
    const ask = (parameters: unknown) => parseGrammar(callGrammar(callFormat(id), [{ name: "f", parameters }]));
    expect(() => ask({ type: "object", anyOf: [{ required: ["a"] }] })).toThrow(
      /^"anyOf" beside the parameters of "f" can't be held to/,
    );
    expect(() => ask({ type: "object", properties: { a: { type: "string", not: { format: "email" } } } })).toThrow(
      /^"not" at/,
    );
    expect(() => ask({ properties: { "a>b": true } })).toThrow(/^the parameter "a>b" of "f" has no name/);
    expect(() => ask({ type: "array" })).toThrow('the parameters of "f" must be the schema of an object');
  });

  it.each([
    [{ additionalProperties: { type: "integer" } }, ["5"]],
    [{ additionalProperties: { description: "any" } }, ["5", "abc", "ab"]],
    [{ properties: { k: { enum: ["ab", "abc"], maxLength: 2 } } }, ["ab"]],
    [{ properties: { k: { type: "string", enum: ["ab", "abc"], not: { const: "ab" } } } }, ["abc"]],
    [{ properties: { k: { type: "string", anyOf: [{ maxLength: 2 }, { type: "null" }] } } }, ["5", "ab"]],
  ])("holds an argument's text to all that is said of it: %j", (parameters, valid) => {
    const source = callGrammar(callFormat("glm4"), [{ name: "f", parameters }]);
    const constraint = new Constraint(parseGrammar(source), bytes);
    const written = (value: string) =>
      `<tool_call>f\n<arg_key>k</arg_key>\n<arg_value>${value}</arg_value>\n</tool_call>`;
    expect(["5", "abc", "ab"].filter((value) => constraint.matches(written(value)))).toEqual(valid);
  });

  it.each([
    ["glm4", "<tool_call>f\n<arg_key>b</arg_key>\n<arg_value>x</arg_value>\n</tool_call>"],
    ["qwen3-coder", "<tool_call>\n<function=f>\n<parameter=b>\nx\n</parameter>\n</function>\n</tool_call>"],
  ] as const)("leaves out an argument that may be given, where no value of it is valid: %s", (id, written) => {
    const properties = { a: { type: "integer", minimum: 5, maximum: 3 }, b: { enum: ["x"] } };
    const form = (...required: string[]) =>
      parseGrammar(callGrammar(callFormat(id), [{ name: "f", parameters: { properties, required } }]));
    expect(new Constraint(form("b"), bytes).matches(written)).toBe(true);
    expect(() => form("a")).toThrow("no value is valid by the schema");
  });

  it.each(FORMATS)("is made without compiling what it is of: %s", (id) => {
    const parameters = { type: "object", properties: { a: { type: "number", multipleOf: 0.3 } } };
    const source = callGrammar(callFormat(id), [{ name: "f", parameters }]);
    expect(() => parseGrammar(source)).toThrow(/"multipleOf"/);
  });

  it.each(FORMATS)("has an object for arguments, whatever the schema leaves out: %s", (id) => {
    const nothing = { type: null, properties: null, required: null, additionalProperties: null };
    const none = { type: ["object", "null"], nullable: true };
    for (const parameters of [{}, { description: "none" }, none, nothing, undefined]) {
      const constraint = new Constraint(
        parseGrammar(callGrammar(callFormat(id), [{ name: "f", ...(parameters ? { parameters } : {}) }])),
        bytes,
      );
      const { open, close, argumentsKey } = callFormat(id);
      const written = (value: string) =>
        id === "mistral-args"
          ? `${open}f[ARGS]${value}`
          : id === "mistral"
            ? `${open}[{"name": "f", "arguments": ${value}}]`
            : `${open}${open && "\n"}{"name": "f", "${argumentsKey}": ${value}}${open && "\n"}${close}`;
      const tagged = id === "qwen3-coder" || id === "glm4";
      expect(constraint.matches(written("{}"))).toBe(!tagged);
      for (const value of ["5", "null", "[]", '"x"']) expect(constraint.matches(written(value))).toBe(false);
    }
  });

  it("or of a form of its own", () => {
    const text = { choice: ["yes", "no"] };
    for (const said of ["yes", tagged]) expect(matches("hermes", said, { text })).toBe(true);
    expect(matches("hermes", "maybe", { text })).toBe(false);
  });
});

describe("a form behind thoughts", () => {
  const form = { choice: ["yes", "no"] };
  const matches = (begun: boolean, text: string): boolean =>
    new Constraint(parseGrammar(afterThoughts({ open: "<think>", close: "</think>", begun }, form)), bytes).matches(
      text,
    );

  it.each([
    ["Hm.</think>\n\nyes", true],
    ["</think>no", true],
    ["a < b, </thin </think>yes", true],
    ["yes", false],
    ["Hm.</think>maybe", false],
    ["Hm.</think>yes</think>", false],
  ])("that the prompt has begun: %j, %s", (text, expected) => {
    expect(matches(true, text)).toBe(expected);
  });

  it.each([
    ["yes", true],
    ["<think>\nyes or no?\n</think>\n\nno", true],
    ["Hm.</think>yes", false],
    ["<think>Hm.", false],
  ])("that may come: %j, %s", (text, expected) => {
    expect(matches(false, text)).toBe(expected);
  });
});
