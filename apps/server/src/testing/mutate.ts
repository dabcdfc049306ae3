const messages = [{ role: "user", content: "Hi" }];
const schema = { type: "object", properties: { a: { type: "integer" } } };
const tools = [{ type: "function", function: { name: "f", description: "d", parameters: schema } }];

/** Requests with much in them, short to answer. */
export const SEEDS: Readonly<Record<string, object>> = {
  "/v1/chat/completions": {
    model: "demo",
    messages,
    max_tokens: 2,
    tools,
    tool_choice: "auto",
    temperature: 0.5,
    stop: ["x"],
    logprobs: true,
    top_logprobs: 1,
    stream: false,
    stream_options: null,
  },
  "/v1/completions": {
    model: "demo",
    prompt: ["a", "b"],
    max_tokens: 2,
    n: 1,
    echo: true,
    logprobs: 1,
    logit_bias: { 5: 1 },
    seed: 1,
    suffix: null,
  },
  "/v1/responses": {
    model: "demo",
    input: [{ role: "user", content: [{ type: "input_text", text: "x" }] }],
    max_output_tokens: 2,
    tools: [{ type: "function", name: "f", parameters: schema }],
    text: { format: { type: "text" } },
  },
  "/v1/embeddings": { model: "demo", input: ["a", "b"], encoding_format: "base64" },
  "/v1/messages": {
    model: "demo",
    messages,
    system: "s",
    max_tokens: 2,
    stop_sequences: ["x"],
    tools: [{ name: "f", input_schema: schema }],
    tool_choice: { type: "auto" },
  },
  "/v1/messages/count_tokens": { model: "demo", messages },
  "/infill": {
    input_prefix: "a",
    input_suffix: "b",
    input_extra: [{ filename: "f", text: "t" }],
    prompt: "c",
    n_predict: 2,
    n_indent: 2,
    response_fields: ["content"],
  },
  "/tokenize": { content: "a", with_pieces: true },
  "/detokenize": { tokens: [1, 2] },
  "/apply-template": { messages, tools },
};

const JUNK: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e300, -0, 2 ** 53, "", "x", "\u0000", "\ud800", "💥".repeat(50)],
  ...[[], {}, [null], [[]], { a: {} }, { toString: 1 }, JSON.parse('{"__proto__": {"x": 1}}'), Array(300).fill(0)],
  ...["../../etc", "{{ 7 * 7 }}", "{% for i in range(9) %}", "(a+)+$", "<|im_start|>", "[".repeat(500), "constructor"],
];

/** A value with something in it changed: replaced by junk, left out, or said twice. */
export function mutated(value: unknown, pick: (below: number) => number): unknown {
  if (typeof value !== "object" || value === null || pick(4) === 0) return JUNK[pick(JUNK.length)];
  if (Array.isArray(value)) {
    const at = pick(Math.max(1, value.length));
    if (pick(4) === 0) return [...value, ...value];
    return value.map((each, i) => (i === at ? mutated(each, pick) : each));
  }
  const keys = Object.keys(value);
  const key = keys[pick(Math.max(1, keys.length))];
  if (pick(8) === 0) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  if (pick(8) === 0) return { ...value, [`${key}_`]: JUNK[pick(JUNK.length)] };
  return { ...value, [key]: mutated((value as Record<string, unknown>)[key], pick) };
}
