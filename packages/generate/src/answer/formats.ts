/** How a family of models writes tool calls. */
export interface CallFormat {
  readonly id: "hermes" | "llama3" | "mistral" | "json";
  /** What begins a call; an empty one stands for an answer whose first character opens a JSON value. */
  readonly open: string;
  /** What ends it, where something does. */
  readonly close: string;
  /** What may stand between the opening, the calls and the end besides blanks, and means nothing. */
  readonly filler: readonly string[];
  /** What the model calls the arguments of a function. */
  readonly argumentsKey: "arguments" | "parameters";
}

const FORMATS: Readonly<Record<CallFormat["id"], CallFormat>> = {
  // Hermes 2 Pro and 3, Qwen 2.5 and 3, and who follows them
  hermes: { id: "hermes", open: "<tool_call>", close: "</tool_call>", filler: [], argumentsKey: "arguments" },
  llama3: { id: "llama3", open: "", close: "", filler: ["<|python_tag|>", ";", ","], argumentsKey: "parameters" },
  mistral: { id: "mistral", open: "[TOOL_CALLS]", close: "", filler: ["[", ",", "]"], argumentsKey: "arguments" },
  json: { id: "json", open: "", close: "", filler: ["[", ",", "]", "```json", "```"], argumentsKey: "arguments" },
};

/** The format a checkpoint was trained on, as its chat template shows; plain JSON where it shows none. */
export function callFormatOf(chatTemplate: string | undefined): CallFormat {
  const template = chatTemplate ?? "";
  if (template.includes("<tool_call>")) return FORMATS.hermes;
  if (template.includes("[TOOL_CALLS]")) return FORMATS.mistral;
  if (
    template.includes("<|python_tag|>") ||
    (template.includes("<|start_header_id|>") && template.includes('"parameters"'))
  ) {
    return FORMATS.llama3;
  }
  return FORMATS.json;
}

/** A format by its name. */
export const callFormat = (id: CallFormat["id"]): CallFormat => FORMATS[id];

/** The section in which a model thinks aloud. */
export interface ReasoningFormat {
  readonly open: string;
  readonly close: string;
  /** True where the prompt has opened it already. */
  readonly begun: boolean;
}

const REASONING: readonly (readonly [open: string, close: string])[] = [
  ["<think>", "</think>"],
  ["[THINK]", "[/THINK]"],
  ["<reasoning>", "</reasoning>"],
];

/** The reasoning section that a chat template speaks of, if any; `prompt` is what it made. */
export function reasoningFormatOf(chatTemplate: string | undefined, prompt: string): ReasoningFormat | undefined {
  const found = REASONING.find(([open, close]) => chatTemplate?.includes(close) || prompt.trimEnd().endsWith(open));
  return found && { open: found[0], close: found[1], begun: prompt.trimEnd().endsWith(found[0]) };
}
