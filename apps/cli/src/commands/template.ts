import { openTokenizer } from "@llm/toolchain";
import type { Call, Outcome } from "../definition/command.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../output/io.ts";
import { readJsonList } from "./json-file.ts";
import { modelOptions } from "./model-options.ts";

/** `llm template` */
export async function run(call: Call, io: Io): Promise<Outcome> {
  const { messages, tools, addGenerationPrompt = false } = call.options;
  if (messages === undefined)
    throw new UsageError("llm template needs --messages FILE: a JSON list of {role, content}");
  const conversation = (await readJsonList(messages, "messages")) as Parameters<typeof tokenizer.applyChatTemplate>[0];
  const offered = tools === undefined ? undefined : await readJsonList(tools, "tools");
  const tokenizer = await openTokenizer(call.args.model, modelOptions(call, io));
  const text = tokenizer.applyChatTemplate(conversation, {
    addGenerationPrompt,
    ...(offered ? { tools: offered } : {}),
  });
  return { json: { text }, text };
}
