import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerParser, type AnswerPart } from "./answer-parser.ts";
import { type AnswerFormats, callFormat, callFormatOf, reasoningFormatOf } from "./formats.ts";

interface Told {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
}

function told(formats: AnswerFormats, pieces: readonly string[]): Told {
  const parser = new AnswerParser(formats);
  const parts: AnswerPart[] = [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
  const calls: { name: string; arguments: string }[] = [];
  for (const part of parts) {
    if (part.kind === "call") calls.push({ name: part.name, arguments: "" });
    if (part.kind === "arguments") calls[part.index].arguments += part.text;
  }
  const textOf = (kind: "text" | "reasoning") => parts.map((part) => (part.kind === kind ? part.text : "")).join("");
  return { text: textOf("text"), reasoning: textOf("reasoning"), calls };
}

const FORMATS = ["hermes", "llama3", "mistral", "mistral-args", "qwen3-coder", "glm4", "json"] as const;

const think = { open: "<think>", close: "</think>", begun: false };
const hermes = { calls: callFormat("hermes") };
const json = { calls: callFormat("json") };
const weatherTool = {
  name: "get_weather",
  parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } },
};
const noteTool = {
  name: "note",
  parameters: {
    type: "object",
    properties: { text: { type: "string" }, tags: { type: "array" }, pinned: { type: ["boolean", "null"] }, due: {} },
  },
};
const tools = [weatherTool, noteTool, { name: "now" }];
const weather = { name: "get_weather", arguments: '{"city": "Paris", "days": 2}' };

const answers: readonly (readonly [name: string, AnswerFormats, answer: string, Told])[] = [
  ["plain text", hermes, "Hello,\n\n a < b.\n", { text: "Hello,\n\n a < b.\n", reasoning: "", calls: [] }],
  [
    "Qwen and Hermes",
    hermes,
    'Let me look.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}\n</tool_call>\n<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>',
    { text: "Let me look.", reasoning: "", calls: [weather, { name: "now", arguments: "{}" }] },
  ],
  [
    "Qwen 3, thinking first",
    { ...hermes, reasoning: think },
    '<think>\nThe user wants {weather}.\n</think>\n\n<tool_call>\n{"arguments": {"city": "Paris", "days": 2}, "name": "get_weather"}\n</tool_call>',
    { text: "", reasoning: "The user wants {weather}.", calls: [weather] },
  ],
  [
    "DeepSeek R1: the prompt has begun the thinking",
    { reasoning: { ...think, begun: true } },
    "Hm, 2 + 2.\n</think>\n\nIt is 4.",
    { text: "It is 4.", reasoning: "Hm, 2 + 2.", calls: [] },
  ],
  [
    "Llama 3",
    { calls: callFormat("llama3") },
    '{"name": "get_weather", "parameters": {"city": "Paris", "days": 2}}',
    { text: "", reasoning: "", calls: [weather] },
  ],
  [
    "Llama 3, with its tag and two calls",
    { calls: callFormat("llama3") },
    '<|python_tag|>{"type": "function", "name": "get_weather", "parameters": {"city": "Paris", "days": 2}}; {"name": "now", "parameters": {}}',
    { text: "", reasoning: "", calls: [weather, { name: "now", arguments: "{}" }] },
  ],
  [
    "Mistral",
    { calls: callFormat("mistral") },
    '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}, "id": "a1b2c3d4e"}, {"name": "now", "arguments": {}}]',
    { text: "", reasoning: "", calls: [weather, { name: "now", arguments: "{}" }] },
  ],
  [
    "Mistral Small 3.2: a name and its arguments",
    { calls: callFormat("mistral-args"), tools },
    'Sure.[TOOL_CALLS]get_weather[ARGS]{"city": "Paris", "days": 2}[TOOL_CALLS]now[CALL_ID]a1b2c3d4e[ARGS]{}',
    { text: "Sure.", reasoning: "", calls: [weather, { name: "now", arguments: "{}" }] },
  ],
  [
    "Magistral, thinking first",
    { calls: callFormat("mistral-args"), tools, reasoning: { open: "[THINK]", close: "[/THINK]", begun: false } },
    '[THINK]Paris [it seems].[/THINK][TOOL_CALLS]get_weather[ARGS]{"city": "Paris", "days": 2}',
    { text: "", reasoning: "Paris [it seems].", calls: [weather] },
  ],
  [
    "the newer Mistral where the template shows the older",
    { calls: callFormat("mistral") },
    '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris", "days": 2}',
    { text: "", reasoning: "", calls: [weather] },
  ],
  [
    "what Mistral would call, but nobody offers",
    { calls: callFormat("mistral-args"), tools },
    "[TOOL_CALLS]rm[ARGS]{}",
    { text: "[TOOL_CALLS]rm[ARGS]{}", reasoning: "", calls: [] },
  ],
  [
    "a name without arguments where there must be some",
    { calls: callFormat("mistral-args"), tools },
    "[TOOL_CALLS]now is the time",
    { text: "[TOOL_CALLS]now is the time", reasoning: "", calls: [] },
  ],
  [
    "Qwen3-Coder",
    { calls: callFormat("qwen3-coder"), tools },
    "I'll look.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>",
    { text: "I'll look.", reasoning: "", calls: [weather, { name: "now", arguments: "{}" }] },
  ],
  [
    "Qwen3-Coder: texts as they are, and what Python would write",
    { calls: callFormat("qwen3-coder"), tools },
    '<tool_call>\n<function=note>\n<parameter=text>\nif a < b:\n    print("</p>")\n\n</parameter>\n<parameter=tags>\n["x",\n 1]\n</parameter>\n<parameter=pinned>\nTrue\n</parameter>\n<parameter=due>\nin May\n</parameter>\n</function>\n</tool_call>',
    {
      text: "",
      reasoning: "",
      calls: [
        {
          name: "note",
          arguments:
            '{"text": "if a < b:\\n    print(\\"</p>\\")\\n", "tags": ["x",\n 1], "pinned": true, "due": "in May"}',
        },
      ],
    },
  ],
  [
    "Qwen3-Coder: no such function",
    { calls: callFormat("qwen3-coder"), tools },
    "<tool_call>\n<function=rm>\n</function>",
    { text: "<tool_call>\n<function=rm>\n</function>", reasoning: "", calls: [] },
  ],
  [
    "GLM 4.5, thinking first",
    { calls: callFormat("glm4"), tools, reasoning: think },
    "\n<think>Weather, then.</think>\nI'll check.\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call><tool_call>now</tool_call>",
    {
      text: "I'll check.",
      reasoning: "Weather, then.",
      calls: [weather, { name: "now", arguments: "{}" }],
    },
  ],
  [
    "GLM 4.5: a text that looks like a number where a text is wanted",
    { calls: callFormat("glm4"), tools },
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>12</arg_value>\n</tool_call>",
    { text: "", reasoning: "", calls: [{ name: "get_weather", arguments: '{"city": "12"}' }] },
  ],
  [
    "GLM 4.5: cut off",
    { calls: callFormat("glm4"), tools },
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Par",
    { text: "", reasoning: "", calls: [{ name: "get_weather", arguments: "{" }] },
  ],
  [
    "GLM 4.5: a name in a text",
    { calls: callFormat("glm4"), tools },
    "The <tool_call>now is a tag",
    { text: "The <tool_call>now is a tag", reasoning: "", calls: [] },
  ],
  [
    "a model that opens once more what the prompt has opened",
    { reasoning: { ...think, begun: true } },
    "<think>\nHm.</think>\n\n4",
    { text: "4", reasoning: "Hm.", calls: [] },
  ],
  [
    "a list in a fence",
    json,
    '```json\n[{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}]\n```',
    { text: "", reasoning: "", calls: [weather] },
  ],
  [
    "arguments as a string of JSON",
    json,
    '{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\", \\"days\\": 2}"}',
    { text: "", reasoning: "", calls: [weather] },
  ],
  ["JSON that is no call", json, ' {"city": "Paris"}', { text: ' {"city": "Paris"}', reasoning: "", calls: [] }],
  ["brackets that are no call", json, "[1, 2] is a list", { text: "[1, 2] is a list", reasoning: "", calls: [] }],
  ["a tag that is no call", hermes, "The <tool_call> tag", { text: "The <tool_call> tag", reasoning: "", calls: [] }],
  [
    "a call cut off in its arguments",
    hermes,
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Pa',
    { text: "", reasoning: "", calls: [{ name: "get_weather", arguments: '{"city": "Pa' }] },
  ],
  [
    "a call cut off in its name",
    hermes,
    'Yes <tool_call>{"na',
    { text: 'Yes <tool_call>{"na', reasoning: "", calls: [] },
  ],
  [
    "JSON with a name that is no call",
    json,
    '{"name": "Bob", "age": 3}',
    { text: '{"name": "Bob", "age": 3}', reasoning: "", calls: [] },
  ],
  [
    "a name and nothing else",
    json,
    '{"name": "Bob"} is one',
    { text: '{"name": "Bob"} is one', reasoning: "", calls: [] },
  ],
  [
    "a call of what isn't offered",
    { ...json, tools: [{ name: "now" }] },
    '{"name": "rm", "arguments": {}}',
    { text: '{"name": "rm", "arguments": {}}', reasoning: "", calls: [] },
  ],
  [
    "a call without arguments, behind its tag",
    hermes,
    '<tool_call>{"name": "now"}</tool_call>',
    { text: "", reasoning: "", calls: [{ name: "now", arguments: "{}" }] },
  ],
  [
    "an opening behind a call that opens none",
    hermes,
    '<tool_call>{"name": "now", "arguments": {} }</tool_call> and <tool_call>foo',
    { text: "and <tool_call>foo", reasoning: "", calls: [{ name: "now", arguments: "{}" }] },
  ],
  [
    "arguments that are named twice, and what else stands in a call",
    hermes,
    '<tool_call>{"name": "w", "arguments": {"x": 1}\n, "args": {"y": 2}, "why": [3]}</tool_call>',
    { text: "", reasoning: "", calls: [{ name: "w", arguments: '{"x": 1}' }] },
  ],
  [
    "arguments that are none",
    json,
    '{"name": "w", "arguments":}',
    { text: '{"name": "w", "arguments":}', reasoning: "", calls: [] },
  ],
  [
    "braces and quotes inside arguments",
    hermes,
    '<tool_call>{"name": "w", "arguments": {"s": "}\\"{", "l": [1, {"a": ","}]}}</tool_call>Done.',
    { text: "Done.", reasoning: "", calls: [{ name: "w", arguments: '{"s": "}\\"{", "l": [1, {"a": ","}]}' }] },
  ],
];

describe("an answer", () => {
  it.each(answers)("is taken apart: %s", (_, formats, answer, expected) => {
    expect(told(formats, [answer])).toEqual(expected);
  });

  it.each(answers)("is taken apart alike however it is cut: %s", (_, formats, answer, expected) => {
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), answer.length];
        const pieces = edges.slice(1).map((edge, i) => answer.slice(edges[i], edge));
        expect(told(formats, pieces)).toEqual(expected);
      }),
    );
    expect(told(formats, Array.from(answer))).toEqual(expected);
  });

  it("means the same however it is cut, whatever it is", () => {
    const scrap = fc.constantFrom(
      ...[
        '{"name": ',
        '"w"',
        '"Bob"',
        ', "arguments": ',
        '{"a": "}"}',
        '"{}"',
        "}",
        "]",
        "[",
        ",",
        " ",
        "\n",
        "<tool_call>",
        "</tool_call>",
        "text",
        '"id": 3',
        "<think>",
        "</think>",
        "```json",
        ";",
        "\\",
        '"',
        "[TOOL_CALLS]",
        "w[ARGS]",
        "[CALL_ID]",
        "<function=w>",
        "</function>",
        "<parameter=a>",
        "</parameter>",
        "w\n",
        "<arg_key>",
        "</arg_key>",
        "<arg_value>",
        "</arg_value>",
      ],
    );
    fc.assert(
      fc.property(
        fc.array(scrap, { maxLength: 14 }),
        fc.constantFrom(...FORMATS),
        fc.constantFrom(undefined, think, { ...think, begun: true }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (scraps, id, thinks, cuts) => {
          const answer = scraps.join("");
          const formats = { calls: callFormat(id), tools: [{ name: "w" }], ...(thinks ? { reasoning: thinks } : {}) };
          const edges = [
            0,
            ...cuts.map((cut) => Math.min(cut, answer.length)).toSorted((a, b) => a - b),
            answer.length,
          ];
          const pieces = edges.slice(1).map((edge, i) => answer.slice(edges[i], edge));
          expect(told(formats, pieces)).toEqual(told(formats, [answer]));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("holds no more of a text than a name may have", () => {
    const parser = new AnswerParser({ calls: callFormat("mistral-args"), tools: [{ name: "w" }] });
    const long = `[TOOL_CALLS]${"x".repeat(5000)}`;
    expect(parser.push(long)).toEqual([{ kind: "text", text: long }]);
    expect(parser.push("y")).toEqual([{ kind: "text", text: "y" }]);
  });

  it("gives text and arguments out as they come, not at the end", () => {
    const parser = new AnswerParser(hermes);
    expect(parser.push("Well, ")).toEqual([{ kind: "text", text: "Well," }]);
    expect(parser.push("yes")).toEqual([{ kind: "text", text: " yes" }]);
    expect(parser.push('<tool_call>{"name": "w", "arg')).toEqual([]); // it may yet be no call
    expect(parser.push('uments": {"a')).toEqual([
      { kind: "call", index: 0, name: "w" },
      { kind: "arguments", index: 0, text: '{"a' },
    ]);
    expect(parser.push('": 1')).toEqual([{ kind: "arguments", index: 0, text: '": 1' }]);
    expect(parser.calls).toBe(1);
  });

  it.each([
    ["", true],
    ["\n</tool_call>\n", true],
    ["</tool_", false],
    ["</tool_call> So", false],
    ["</tool_call>\n<tool_call>", false],
    ['</tool_call><tool_call>{"name": "w', false],
    ['</tool_call><tool_call>{"name": "w", "arguments": {"a"', false],
    ['</tool_call><tool_call>{"name": "w", "arguments": {}}', true],
  ])("knows whether an answer ends with a whole call: … %j", (rest, whole) => {
    const parser = new AnswerParser(hermes);
    parser.push(`Well.<tool_call>{"name": "w", "arguments": {"a": 1}}${rest}`);
    parser.end();
    expect(parser.endsWithCall).toBe(whole);
  });
});

describe("a chat template", () => {
  it.each([
    ["{{ '<tool_call>' }}", "hermes"],
    ["{{ '<tool_call>\\n<function=f>\\n<parameter=p>' }}", "qwen3-coder"],
    ["<tool_call>{{ name }}\n<arg_key>", "glm4"],
    ["[TOOL_CALLS]", "mistral"],
    ["[TOOL_CALLS]{{ name }}[ARGS]", "mistral-args"],
    ["<|python_tag|>", "llama3"],
    ["{{ messages }}", "json"],
    [undefined, "json"],
  ])("shows how calls are written: %s", (template, id) => {
    expect(callFormatOf(template).id).toBe(id);
  });

  it("shows where reasoning stands", () => {
    expect(reasoningFormatOf("…</think>…", "<|im_start|>assistant\n")).toEqual(think);
    expect(reasoningFormatOf("…", "<|Assistant|><think>\n")).toEqual({ ...think, begun: true });
    expect(reasoningFormatOf("…", "Hello")).toBeUndefined();
    // What the prompt has closed is over.
    expect(reasoningFormatOf("…</think>…", "<|im_start|>assistant\n<think>\n\n</think>\n\n")).toBeUndefined();
  });
});
