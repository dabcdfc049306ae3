import {
  answerGrammar,
  type CallFormat,
  callFormatFor,
  callGrammar,
  type GenerateOptions,
  type Tool,
} from "@llm/generate";
import { type ChatRequest, invalid } from "@llm/protocol";

/** What a request's tools mean for the prompt, for the form of the answer, and for how it is read. */
export interface ToolUse {
  /** For the template; absent where the model is to know of none. */
  readonly offered?: readonly unknown[];
  /** How calls are written, where there may be any. */
  readonly calls?: CallFormat;
  /** The functions that may be called. */
  readonly tools?: readonly Tool[];
  /** The form of an answer that must be calls, or whose calls must have one; it has `response_format` in it. */
  readonly form?: Pick<GenerateOptions, "form">;
}

/** Works out `tools`, `tool_choice` and `parallel_tool_calls` for a model with this template. */
export function toolUse(request: ChatRequest, chatTemplate: string | undefined): ToolUse {
  const { tools, tool_choice: choice = "auto", parallel_tool_calls: parallel } = request;
  if (!tools || tools.length === 0) {
    if (choice && choice !== "none" && choice !== "auto")
      throw invalid("tool_choice", "'tool_choice' asks for a call, but there are no 'tools'");
    return {};
  }
  if (choice === "none") return {};
  const calls = callFormatFor(chatTemplate);
  const functions = tools.map(functionOf);
  const use = { offered: tools, calls, tools: functions };
  if (choice === "auto" || choice === null) return { ...use, ...strictForm(request, calls) };
  const named = typeof choice === "string" ? undefined : choice.function.name;
  const chosen = functions.filter(({ name }) => named === undefined || name === named);
  if (chosen.length === 0) throw invalid("tool_choice", `'tool_choice' names '${named}', which is none of the 'tools'`);
  const several = named === undefined && parallel !== false;
  return { ...use, form: { form: callGrammar(calls, chosen, { parallel: several }) } };
}

type RequestTool = NonNullable<ChatRequest["tools"]>[number];

/** OpenAI's word on a function without `parameters`: it takes none. */
const NO_PARAMETERS = { type: "object", properties: {}, additionalProperties: false };

const functionOf = ({ function: { name, parameters } }: RequestTool): Tool => ({
  name,
  parameters: parameters ?? NO_PARAMETERS,
});

/** Where the model chooses whether to call: what its calls are held to, if anything is. */
function strictForm(request: ChatRequest, calls: CallFormat): Pick<ToolUse, "form"> {
  const { tools = [], parallel_tool_calls: several } = request;
  const { jsonSchema, json } = formatOf(request);
  const text = jsonSchema !== undefined ? { jsonSchema } : json ? ({ json } as const) : undefined;
  const parallel = several !== false;
  if (parallel && !text && !tools!.some((tool) => tool.function.strict)) return {};
  const functions = tools!.map((tool) => (tool.function.strict ? functionOf(tool) : { name: tool.function.name }));
  return { form: { form: answerGrammar(calls, functions, { parallel, ...(text ? { text } : {}) }) } };
}

/** The form that `response_format` asks for, or `json_schema`. */
export function formatOf({ response_format: format, json_schema: schema }: ChatRequest): {
  readonly jsonSchema?: unknown;
  readonly json?: true;
} {
  if (schema) return { jsonSchema: schema };
  if (format?.type === "json_schema") return { jsonSchema: format.json_schema.schema };
  return format?.type === "json_object" ? { json: true } : {};
}
