import { type AnswerFormats, AnswerParser, type GenerateOptions, reasoningFormatOf } from "@llm/generate";
import { type ChatRequest, invalid, lengthOf, samplingOf } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";
import { checkIds } from "./check-ids.ts";
import { conversationFor, textOf } from "./conversation.ts";
import { checkTemplateReads } from "./template-variables.ts";
import { formatOf, type ToolUse, toolUse } from "./tools.ts";

/** What a conversation asks of a model. */
export interface ChatAsk {
  readonly ask: Ask & { readonly prompt: string };
  /** Reads one answer: what in it is text, reasoning, a call. */
  parser(): AnswerParser;
}

/** The prompt and the options of a conversation, and how its answer is read. */
export function chatAsk(body: ChatRequest, generator: Generator): ChatAsk {
  checkIds(generator, "stop_token_ids", body.stop_token_ids ?? []);
  const { prompt, tools } = promptOf(body, generator);
  const answerFormats = formatsOf(body, generator, prompt, tools);
  return {
    ask: { prompt, options: { ...optionsOf(body, tools, generator), answerFormats } },
    parser: () => new AnswerParser(answerFormats),
  };
}

/** The model's prompt for a conversation, and what its tools mean. */
function promptOf(body: ChatRequest, { tokenizer }: Generator): { prompt: string; tools: ToolUse } {
  const tools = toolUse(body, tokenizer.chatTemplateSource);
  const { chat_template_kwargs: variables, add_generation_prompt: generation, documents } = body;
  const continues = body.continue_final_message ?? false;
  if (continues && generation)
    throw invalid("continue_final_message", "'continue_final_message' and 'add_generation_prompt' exclude one another");
  checkTemplateReads(tokenizer.chatTemplateSource, body);
  const conversation = conversationFor(tokenizer.chatTemplateSource, body.messages, tools.offered);
  const prompt = tokenizer.applyChatTemplate(conversation, {
    addGenerationPrompt: generation ?? !continues,
    continueFinalMessage: continues,
    ...(tools.offered ? { tools: tools.offered } : {}),
    ...(documents ? { documents } : {}),
    ...(variables ? { variables } : {}),
  });
  return { prompt, tools };
}

function optionsOf(body: ChatRequest, tools: ToolUse, { tokenizer, scheduler, runnable }: Generator): GenerateOptions {
  const own = [body.stop ?? runnable.defaults.stop ?? []].flat();
  const most = lengthOf(body) ?? runnable.defaults.maxNewTokens ?? Number.POSITIVE_INFINITY;
  return {
    ...samplingOf({ ...body, json_schema: null }), // which is a form, as `response_format` is
    stop: [...tokenizer.chatTemplate.stops, ...own],
    ...(tools.form ?? formatOf(body)),
    addSpecialTokens: false, // the template has written them
    // Without a word about it, an answer ends by itself: where the checkpoint says, or where the context does.
    ...(most === Number.POSITIVE_INFINITY ? { maxLength: scheduler.room } : { maxNewTokens: most }),
    ...(body.prediction ? { prediction: textOf(body.prediction.content) } : {}),
    ...(body.logprobs ? { logprobs: body.top_logprobs ?? 0 } : {}),
  };
}

/** How the answer marks its parts. One that goes on with a message thinks no more, unless it is in the midst of it. */
function formatsOf(
  body: ChatRequest,
  { tokenizer }: Generator,
  prompt: string,
  { calls, tools }: ToolUse,
): AnswerFormats {
  const reasoning = reasoningFormatOf(tokenizer.chatTemplateSource, prompt);
  return {
    ...(calls ? { calls } : {}),
    ...(tools ? { tools } : {}),
    ...(reasoning && (reasoning.begun || !body.continue_final_message) ? { reasoning } : {}),
  };
}
