import { z } from "zod";
import { jsonObject } from "../json-value.ts";

const inputText = z.strictObject({ type: z.literal("input_text"), text: z.string() });
/** What clients add to the answers that they hand out, and send back with them. */
const parsed = z.unknown().optional().describe("accepted, as clients send answers back; nothing depends on it");
const outputText = z.strictObject({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(z.unknown()).max(0).nullish(),
  logprobs: z.array(z.unknown()).nullish(),
  parsed,
});
const refusal = z.strictObject({ type: z.literal("refusal"), refusal: z.string() });

/** What an answer's items carry when they are sent back; nothing depends on it. */
const echoed = { id: z.string().nullish(), status: z.enum(["in_progress", "completed", "incomplete"]).nullish() };

const message = z.strictObject({
  type: z.literal("message").optional(),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.union([z.string(), z.array(z.discriminatedUnion("type", [inputText, outputText, refusal]))]),
  ...echoed,
});

const item = z.union([
  message,
  z.strictObject({
    type: z.literal("function_call"),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
    parsed_arguments: parsed,
    ...echoed,
  }),
  z.strictObject({
    type: z.literal("function_call_output"),
    call_id: z.string(),
    output: z.union([z.string(), z.array(inputText)]),
    ...echoed,
  }),
  z.strictObject({
    type: z.literal("reasoning"),
    summary: z.array(z.strictObject({ type: z.literal("summary_text"), text: z.string() })).nullish(),
    content: z.array(z.strictObject({ type: z.literal("reasoning_text"), text: z.string() })).nullish(),
    encrypted_content: z.null().optional(),
    ...echoed,
  }),
]);

const tool = z.strictObject({
  type: z.literal("function"),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "a name has 1 to 64 letters, digits, _ and -"),
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
});

const format = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    name: z.string(),
    description: z.string().nullish(),
    schema: jsonObject,
    strict: z.boolean().nullish(),
  }),
]);

/** `POST /v1/responses`. */
export const responsesRequest = z
  .strictObject({
    model: z.string(),
    input: z.union([z.string(), z.array(item).min(1)]),
    instructions: z.string().nullish(),
    max_output_tokens: z
      .int()
      .min(1)
      .nullish()
      .describe("unless said, as many as the checkpoint says, or the context has room for"),
    temperature: z.number().min(0).max(2).nullish().describe("0 is greedy"),
    top_p: z.number().min(0).max(1).nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.strictObject({ include_obfuscation: z.literal(false).nullish() }).nullish(),
    tools: z.array(tool).max(128).nullish(),
    tool_choice: z
      .union([z.enum(["none", "auto", "required"]), z.strictObject({ type: z.literal("function"), name: z.string() })])
      .nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    text: z.strictObject({ format: format.nullish() }).nullish(),
    store: z.literal(false, "answers are not stored here; leave it out").nullish(),
    previous_response_id: z.null("answers are not stored here; send the conversation as 'input'").optional(),
    background: z.literal(false, "answers are not stored here; leave it out").nullish(),
    truncation: z.literal("disabled", "a prompt that is too long is refused").nullish(),
    include: z.array(z.string()).max(0, "there is nothing to include").nullish(),
    metadata: z.record(z.string(), z.string()).nullish().describe("given back; nothing depends on it"),
    user: z.string().nullish().describe("accepted; nothing depends on it"),
    safety_identifier: z.string().nullish().describe("accepted; nothing depends on it"),
    prompt_cache_key: z.string().nullish().describe("accepted; equal beginnings are found without it"),
    service_tier: z.enum(["auto", "default"]).nullish(),
  })
  .describe("A conversation to go on with, in the form of OpenAI's Responses");

export type ResponsesRequest = z.output<typeof responsesRequest>;
