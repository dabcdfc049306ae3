import { expect, it } from "vitest";
import { messagesRequest } from "./anthropic/requests.ts";
import { chatRequest } from "./openai/chat.ts";
import { read } from "./read.ts";

const nested = (levels: number): unknown =>
  JSON.parse(`${'{"type":"array","items":'.repeat(levels)}{}${"}".repeat(levels)}`);
const messages = [{ role: "user", content: "x" }];
const tool = (parameters: unknown) => ({ type: "function", function: { name: "f", parameters } });
const format = (schema: unknown) => ({ type: "json_schema", json_schema: { name: "x", schema } });

it.each([
  [chatRequest, (value: unknown) => ({ tools: [tool(value)] }), "tools[0].function.parameters"],
  [chatRequest, (value: unknown) => ({ response_format: format(value) }), "response_format.json_schema.schema"],
  [chatRequest, (value: unknown) => ({ json_schema: value }), "json_schema"],
  [chatRequest, (value: unknown) => ({ chat_template_kwargs: { x: value } }), "chat_template_kwargs"],
  [chatRequest, (value: unknown) => ({ documents: [value] }), "documents[0]"],
  [messagesRequest, (value: unknown) => ({ tools: [{ name: "f", input_schema: value }] }), "tools[0].input_schema"],
])("is named where it is nested without end: %#", (schema, more, param) => {
  const body = (levels: number) => ({ model: "m", max_tokens: 5, messages, ...more(nested(levels)) });
  expect(read(schema, body(100)).model).toBe("m");
  expect(() => read(schema, body(20_000))).toThrow(expect.objectContaining({ status: 400, param }));
});
