import { z } from "zod";
import { jsonObject } from "../json-value.ts";

/** Marks what may be cached; equal beginnings are found again without it. */
const cacheControl = z.looseObject({ type: z.literal("ephemeral") }).nullish();

const textBlock = z.strictObject({
  type: z.literal("text"),
  text: z.string(),
  cache_control: cacheControl,
  citations: z.null().optional(),
});

const userBlock = z.discriminatedUnion("type", [
  textBlock,
  z.strictObject({
    type: z.literal("tool_result"),
    tool_use_id: z.string(),
    content: z.union([z.string(), z.array(textBlock)]).nullish(),
    is_error: z.boolean().nullish(),
    cache_control: cacheControl,
  }),
]);

const assistantBlock = z.discriminatedUnion("type", [
  textBlock.extend({
    parsed_output: z.unknown().optional().describe("as clients add it to what they send back; nothing depends on it"),
  }),
  z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string().nullish() }),
  z.strictObject({
    type: z.literal("tool_use"),
    id: z.string(),
    name: z.string(),
    input: jsonObject,
    cache_control: cacheControl,
    caller: z.strictObject({ type: z.literal("direct") }).nullish(),
  }),
]);

const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("user"), content: z.union([z.string(), z.array(userBlock).min(1)]) }),
  z.strictObject({ role: z.literal("assistant"), content: z.union([z.string(), z.array(assistantBlock)]) }),
]);

const tool = z.strictObject({
  type: z.literal("custom").nullish(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "a name has 1 to 64 letters, digits, _ and -"),
  description: z.string().nullish(),
  input_schema: jsonObject,
  strict: z.boolean().nullish(),
  cache_control: cacheControl,
});

const parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const toolChoice = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("auto"), ...parallel }),
  z.strictObject({ type: z.literal("any"), ...parallel }),
  z.strictObject({ type: z.literal("tool"), name: z.string(), ...parallel }),
  z.strictObject({ type: z.literal("none") }),
]);

const conversation = {
  model: z.string(),
  messages: z.array(message).min(1),
  system: z.union([z.string(), z.array(textBlock)]).nullish(),
  tools: z.array(tool).max(128).nullish(),
  tool_choice: toolChoice.nullish(),
  output_config: z
    .strictObject({
      format: z
        .strictObject({ type: z.literal("json_schema"), schema: jsonObject })
        .nullish()
        .describe("the answer is JSON by this schema"),
    })
    .nullish(),
  cache_control: cacheControl.describe("accepted; equal beginnings are found again without it"),
  thinking: z.strictObject({ type: z.literal("disabled", "how long a model thinks can't be set here") }).nullish(),
};

/** `POST /v1/messages`. */
export const messagesRequest = z
  .strictObject({
    ...conversation,
    max_tokens: z.int().min(1),
    temperature: z.number().min(0).max(1).nullish().describe("0 is greedy"),
    top_k: z.int().min(0).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    stop_sequences: z.array(z.string().min(1)).max(16).nullish(),
    stream: z.boolean().nullish(),
    metadata: z.strictObject({ user_id: z.string().nullish() }).nullish().describe("accepted; nothing depends on it"),
    service_tier: z.enum(["auto", "standard_only"]).nullish(),
  })
  .describe("A conversation to go on with, in Anthropic's form");

/** `POST /v1/messages/count_tokens`. */
export const countTokensRequest = z.strictObject(conversation).describe("A conversation whose tokens are counted");

export type MessagesRequest = z.output<typeof messagesRequest>;
export type CountTokensRequest = z.output<typeof countTokensRequest>;
