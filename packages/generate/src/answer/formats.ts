/** How a family of models writes tool calls. */
export interface CallFormat {
  readonly id: "hermes" | "llama3" | "mistral" | "mistral-args" | "qwen3-coder" | "glm4" | "json";
  /** What begins a call; an empty one stands for an answer whose first character opens a JSON value. */
  readonly open: string;
  /** What ends it, where something does. */
  readonly close: string;
  /** What may stand between the opening, the calls and the end besides blanks, and means nothing. */
  readonly filler: readonly string[];
  /** What the model calls the arguments of a function. */
  readonly argumentsKey: "arguments" | "parameters";
  /** Where the name and each argument stand between tags of their own, instead of an object of JSON. */
  readonly tags?: ArgumentTags;
  /** Where the name stands by itself: what is between it and the arguments, and what before the call's id. */
  readonly named?: { readonly args: string; readonly id: string };
}

/** A call whose arguments are written one by one: texts as they are, everything else as JSON. */
export interface ArgumentTags {
  /** Around the name; without anything before it, it ends with its line. */
  readonly name: readonly [before: string, after: string];
  readonly key: readonly [before: string, after: string];
  readonly value: readonly [before: string, after: string];
  /** Between a tag and the value. */
  readonly pad: string;
  readonly end: string;
}

const FORMATS: Readonly<Record<CallFormat["id"], CallFormat>> = {
  // Hermes 2 Pro and 3, Qwen 2.5 and 3, and who follows them
  hermes: { id: "hermes", open: "<tool_call>", close: "</tool_call>", filler: [], argumentsKey: "arguments" },
  llama3: { id: "llama3", open: "", close: "", filler: ["<|python_tag|>", ";", ","], argumentsKey: "parameters" },
  // Mistral 7B 0.3, Nemo, Small 3.0; later ones write a name and arguments, and are read by either
  mistral: mistral("mistral"),
  "mistral-args": mistral("mistral-args"),
  "qwen3-coder": {
    id: "qwen3-coder",
    open: "<tool_call>",
    close: "</tool_call>",
    filler: [],
    argumentsKey: "arguments",
    tags: {
      name: ["<function=", ">"],
      key: ["<parameter=", ">"],
      value: ["", "</parameter>"],
      pad: "\n",
      end: "</function>",
    },
  },
  // GLM 4.5 and later
  glm4: {
    id: "glm4",
    open: "<tool_call>",
    close: "</tool_call>",
    filler: [],
    argumentsKey: "arguments",
    tags: {
      name: ["", "\n"],
      key: ["<arg_key>", "</arg_key>"],
      value: ["<arg_value>", "</arg_value>"],
      pad: "",
      end: "</tool_call>",
    },
  },
  json: { id: "json", open: "", close: "", filler: ["[", ",", "]", "```json", "```"], argumentsKey: "arguments" },
};

function mistral(id: "mistral" | "mistral-args"): CallFormat {
  return {
    id,
    open: "[TOOL_CALLS]",
    close: "",
    filler: ["[", ",", "]"],
    argumentsKey: "arguments",
    named: { args: "[ARGS]", id: "[CALL_ID]" },
  };
}

/** The format a checkpoint was trained on, as its chat template shows; plain JSON where it shows none. */
export function callFormatOf(chatTemplate: string | undefined): CallFormat {
  const template = chatTemplate ?? "";
  const shows = (...marks: readonly string[]): boolean => marks.every((mark) => template.includes(mark));
  if (shows("<function=", "<parameter=")) return FORMATS["qwen3-coder"];
  if (shows("<tool_call>", "<arg_key>")) return FORMATS.glm4;
  if (shows("<tool_call>")) return FORMATS.hermes;
  if (shows("[TOOL_CALLS]")) return shows("[ARGS]") ? FORMATS["mistral-args"] : FORMATS.mistral;
  if (shows("<|python_tag|>") || shows("<|start_header_id|>", '"parameters"')) return FORMATS.llama3;
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

/**
 * The reasoning section that an answer may have, as a chat template and the prompt that it made show; none where the prompt has
 * closed it already.
 */
export function reasoningFormatOf(chatTemplate: string | undefined, prompt: string): ReasoningFormat | undefined {
  const said = prompt.trimEnd();
  const found = REASONING.find(([open, close]) => chatTemplate?.includes(close) || said.endsWith(open));
  if (!found || said.endsWith(found[1])) return undefined;
  return { open: found[0], close: found[1], begun: said.endsWith(found[0]) };
}

/** How an answer is written: what tells its parts from one another. */
export interface AnswerFormats {
  /** Absent where no tools were offered: everything is text then. */
  readonly calls?: CallFormat;
  readonly reasoning?: ReasoningFormat;
  /** The functions that may be called; anything else is no call. Any name is, where this is absent. */
  readonly tools?: readonly Tool[];
}

/** A function that the model may call: its name, and the JSON schema of its arguments. */
export interface Tool {
  readonly name: string;
  readonly parameters?: unknown;
}

/** What marks the parts of an answer; in some vocabularies these are control tokens. */
export function markersOf({ calls, reasoning }: AnswerFormats): readonly string[] {
  const { named, tags } = calls ?? {};
  const ofCalls = [calls?.open, calls?.close, named?.args, named?.id, ...(tags?.key ?? []), ...(tags?.value ?? [])];
  const ofThoughts = reasoning ? [reasoning.open, reasoning.close] : [];
  return [...ofCalls, ...ofThoughts].filter((marker) => marker !== undefined && marker !== "") as string[];
}
