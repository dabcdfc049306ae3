import type { CliOption } from "./option.ts";
import { SERVE_OPTIONS, type ServeOptionValues } from "./serve-options.ts";

/** What runs a model where nothing else is said. */
export const DEFAULT_TARGET = "cpu";

/** Every option that is the command line's own, by key. Targets bring theirs. */
export interface OptionValues extends ServeOptionValues {
  json: boolean;
  debug: boolean;
  config: readonly string[];
  cacheDir: string;
  hfToken: string;
  revision: string;
  offline: boolean;
  lora: string;
  modelClass: string;
  trustRemoteCode: boolean;
  target: string;
  force: boolean;
  install: boolean;
  buildRuntime: boolean;
  prompt: string;
  promptsTxtFilePath: string;
  system: string;
  batchSize: number;
  maxNewTokens: number;
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  typicalP: number;
  repetitionPenalty: number;
  presencePenalty: number;
  frequencyPenalty: number;
  noRepeatNgramSize: number;
  seed: number;
  stop: readonly string[];
  greedy: boolean;
  ignoreEos: boolean;
  truncatePrompt: "left" | "middle";
  jsonSchema: string;
  regex: string;
  choice: readonly string[];
  grammar: string;
  n: number;
  numBeams: number;
  lengthPenalty: number;
  logprobs: number;
  guidanceScale: number;
  negativePrompt: string;
  speculate: boolean;
  draftModel: string;
  stream: boolean;
  automation: boolean;
  report: string;
  remove: readonly string[];
  olderThan: number;
  partial: boolean;
  yes: boolean;
  out: string;
  name: string;
  copy: boolean;
  kv: boolean;
  saveFp32Onnx: boolean;
  saveFp16Onnx: boolean;
  dtypes: readonly string[];
  perBlock: boolean;
  genai: boolean;
  fixedShapes: readonly string[];
  layers: string;
  against: string;
  ids: string;
  hidden: boolean;
  greedyTokens: number;
  in: string;
  special: boolean;
  messages: string;
  tools: string;
  addGenerationPrompt: boolean;
  graph: boolean;
  html: string;
  reportHtml: string;
  text: string;
  tasks: string;
  template: string;
  window: number;
  stride: number;
  maxTokens: number;
  blocks: boolean;
  planBatchSize: string;
  planMesh: string;
  promptTokens: number;
  gen: number;
  depth: number;
  repeat: number;
}

/** How each of them is spelled, checked and explained; see docs/cli.md, which is made from this. */
export const OPTIONS: { readonly [K in keyof OptionValues]: CliOption<OptionValues[K]> } = {
  json: { kind: "boolean", doc: "Print one JSON document on one line, and nothing else, on stdout", default: false },
  debug: { kind: "boolean", doc: "Say where an error happened", default: false },

  config: {
    kind: "string",
    value: "KEY=VALUE",
    repeat: true,
    doc: "Set a field of the checkpoint's config; dotted paths reach inside. May be repeated",
  },
  cacheDir: { kind: "string", value: "DIR", doc: "Where downloads are kept; the hub's own cache by default" },
  hfToken: { kind: "string", value: "TOKEN", doc: "Hub token; else HF_TOKEN or the hub's token file" },
  revision: { kind: "string", value: "REV", doc: "Branch, tag or commit on the hub", default: "main" },
  offline: { kind: "boolean", doc: "Use what is downloaded already; never touch the network", default: false },
  lora: { kind: "string", value: "DIR", doc: "A LoRA adapter as PEFT saves it, added to the weights as they are read" },
  modelClass: {
    kind: "string",
    value: "NAME",
    doc: "Accepted for scripts of old",
    ignored: "--model-class changes nothing: the architecture follows from the checkpoint's config",
  },
  trustRemoteCode: {
    kind: "boolean",
    doc: "Accepted for scripts of old",
    ignored: "--trust-remote-code changes nothing: code in a checkpoint is never executed",
  },

  target: { kind: "string", value: "ID", doc: "The device, by name: see `llm targets`", default: DEFAULT_TARGET },
  install: {
    kind: "boolean",
    doc: "Fetch what the target needs and is missing: a vendor's compiler from PyPI",
    default: false,
  },
  buildRuntime: {
    kind: "boolean",
    flag: "build",
    doc: "Compile what the target runs through, where that takes a vendor's own header",
    default: false,
  },
  force: { kind: "boolean", doc: "Do every stage again, whatever is up to date", default: false },

  prompt: {
    kind: "string",
    short: "p",
    value: "TEXT",
    rivals: ["promptsTxtFilePath", "ids"],
    doc: "What to continue; split at | with --batch-size above 1",
  },
  promptsTxtFilePath: { kind: "string", value: "FILE", rivals: ["prompt"], doc: "A file with one prompt a line" },
  system: { kind: "string", value: "TEXT", doc: "What the model is told before the conversation" },
  batchSize: {
    kind: "number",
    whole: true,
    min: 1,
    max: 4096,
    value: "N",
    doc: "How many prompts at once; prompts are repeated or cut to it",
    default: 1,
  },
  maxNewTokens: {
    kind: "number",
    whole: true,
    min: 1,
    value: "N",
    alias: ["generation-len"],
    doc: "Stop after so many tokens; 256 unless said, less where the context ends",
  },
  temperature: { kind: "number", min: 0, value: "X", doc: "Above 0: sample, the higher the bolder; 0: greedy" },
  topK: { kind: "number", whole: true, min: 0, value: "N", doc: "Sample among the N likeliest tokens; 0: all" },
  topP: { kind: "number", min: 0, max: 1, value: "X", doc: "Sample among the likeliest tokens that add up to X" },
  minP: { kind: "number", min: 0, max: 1, value: "X", doc: "Drop tokens less likely than X times the likeliest" },
  typicalP: { kind: "number", min: 0, max: 1, value: "X", doc: "Locally typical sampling" },
  repetitionPenalty: { kind: "number", above: 0, value: "X", doc: "Above 1: what was said before becomes less likely" },
  presencePenalty: { kind: "number", value: "X", doc: "Taken off the logit of every token generated before" },
  frequencyPenalty: { kind: "number", value: "X", doc: "The same, times how often it was generated" },
  noRepeatNgramSize: { kind: "number", whole: true, min: 0, value: "N", doc: "Never repeat N tokens in a row" },
  seed: { kind: "number", whole: true, min: 0, value: "N", doc: "Where sampling's randomness starts", default: 0 },
  stop: { kind: "string", value: "TEXT", repeat: true, doc: "Stop at this text. May be repeated" },
  greedy: { kind: "boolean", doc: "Always the likeliest token, whatever generation_config says" },
  ignoreEos: { kind: "boolean", doc: "Go on past the end-of-text token", default: false },
  truncatePrompt: {
    kind: "choice",
    choices: ["left", "middle"],
    doc: "Cut a prompt that leaves no room for an answer: at its beginning, or in the middle",
  },
  jsonSchema: {
    kind: "string",
    value: "FILE|JSON",
    rivals: ["regex", "choice", "grammar"],
    doc: "The answer is JSON that is valid by this schema",
  },
  regex: {
    kind: "string",
    value: "EXPR",
    rivals: ["jsonSchema", "choice", "grammar"],
    doc: "The whole answer matches this expression (ECMAScript)",
  },
  choice: {
    kind: "string",
    value: "TEXT",
    repeat: true,
    rivals: ["jsonSchema", "regex", "grammar"],
    doc: "The answer is one of the texts given so. May be repeated",
  },
  grammar: {
    kind: "string",
    value: "FILE|TEXT",
    rivals: ["jsonSchema", "regex", "choice"],
    doc: "The answer matches root of this grammar, in llama.cpp's notation",
  },
  n: { kind: "number", whole: true, min: 1, max: 128, value: "N", doc: "So many answers to each prompt" },
  numBeams: {
    kind: "number",
    whole: true,
    min: 1,
    max: 128,
    value: "N",
    doc: "Beam search: follow so many texts at once and give the likeliest",
  },
  lengthPenalty: {
    kind: "number",
    value: "X",
    doc: "Of a beam search: above 0 favours long answers, below 0 short ones",
  },
  logprobs: {
    kind: "number",
    whole: true,
    min: 0,
    max: 100,
    value: "N",
    doc: "With --json: the log-probability of every token, and of the N best beside it",
  },
  guidanceScale: {
    kind: "number",
    min: 1,
    value: "X",
    doc: "Above 1: steer away from what is said after --negative-prompt, the prompt's last token unless said",
  },
  negativePrompt: { kind: "string", value: "TEXT", doc: "What --guidance-scale steers away from" },
  speculate: {
    kind: "boolean",
    doc: "Guess several tokens a step from what was said before: the same text, faster where it repeats itself",
    default: false,
  },
  draftModel: {
    kind: "string",
    value: "MODEL",
    doc: "A smaller model of the same tokenizer that guesses for this one; implies --speculate",
  },
  stream: { kind: "boolean", doc: "Print the text as it comes", default: true },
  automation: {
    kind: "boolean",
    doc: "Print prompts, texts and figures in the wording that scripts around Cloud AI 100's library look for",
  },

  report: { kind: "string", value: "FILE", doc: "Write what was found as JSON" },
  remove: {
    kind: "string",
    value: "NAME",
    repeat: true,
    doc: "Remove this, by the name that is listed. May be repeated",
  },
  olderThan: { kind: "number", min: 0, value: "DAYS", doc: "Remove what nothing was written to for so long" },
  partial: { kind: "boolean", doc: "Remove downloads and removals that were broken off", default: false },
  yes: { kind: "boolean", doc: "Do it; without, what would be removed is listed", default: false },
  ...SERVE_OPTIONS,

  out: { kind: "string", short: "o", value: "PATH", doc: "Where to write to" },
  name: { kind: "string", value: "NAME", doc: "The model's part of file names" },
  copy: { kind: "boolean", doc: "Copy the weights instead of linking to the checkpoint's own files", default: false },

  kv: { kind: "boolean", doc: "Keep keys and values of earlier tokens between calls", default: true },

  saveFp32Onnx: {
    kind: "boolean",
    doc: "Write NAME.onnx, in float32",
    default: true,
  },
  saveFp16Onnx: { kind: "boolean", doc: "Write NAME_fp16.onnx", default: false },
  perBlock: {
    kind: "boolean",
    doc: "Of --target onnx: a file for each part: embedding, block_i, block_cache_i (going on from a cache), lm_head, greedy_head, sample_head",
    default: false,
  },
  genai: {
    kind: "boolean",
    doc: "Of --target onnx: also write genai_config.json, with which onnxruntime-genai runs the folder",
    default: false,
  },
  fixedShapes: {
    kind: "list",
    value: "NAME=N,…",
    doc: "Of --target onnx: sizes to decide now, for runtimes that want them fixed: batch_size=1,sequence_length=128,past_sequence_length=0",
  },
  dtypes: {
    kind: "list",
    value: "A,B",
    doc: "Of --target transformersjs: fp32, fp16, q8, q4; the first is what it loads unless told otherwise",
  },

  layers: { kind: "string", value: "A-B", doc: "Only these blocks, counted from 0: 0-3, or 5" },
  against: {
    kind: "string",
    value: "FILE",
    doc: "Compare with what another implementation dumped: hidden.0 …, logits and ids in a safetensors file, or as .npy files in a folder",
  },

  ids: { kind: "string", value: "1,2,3", rivals: ["prompt"], doc: "Token ids" },
  hidden: {
    kind: "boolean",
    doc: "Also write what goes into and comes out of every block",
    default: false,
  },
  greedyTokens: {
    kind: "number",
    flag: "greedy",
    whole: true,
    min: 1,
    value: "N",
    doc: "Also continue by N tokens, the likeliest each time",
  },

  in: { kind: "string", value: "FILE", doc: "A JSONL file: one JSON value a line in, one a line out" },
  special: { kind: "boolean", doc: "Add (tokenize) or keep (detokenize) special tokens", default: true },
  messages: { kind: "string", value: "FILE", doc: "A JSON file with the conversation's messages" },
  tools: { kind: "string", value: "FILE", doc: "A JSON file with the tools the model may call" },
  addGenerationPrompt: { kind: "boolean", doc: "End where the answer begins", default: false },

  planBatchSize: {
    kind: "string",
    flag: "batch-size",
    value: "N|max",
    doc: "How many sequences at once; max: as many as fit",
  },
  planMesh: {
    kind: "string",
    flag: "mesh",
    value: "auto|DPxMP",
    doc: "How devices share the model: 2x4 is two copies over four devices each, 1x4x2 four devices a layer in two stages; auto: plan all and choose",
  },
  promptTokens: {
    kind: "number",
    flag: "prompt",
    whole: true,
    min: 0,
    value: "N",
    doc: "Tokens of the prefill test; 0: leave it out",
    default: 512,
  },
  gen: {
    kind: "number",
    whole: true,
    min: 0,
    value: "N",
    doc: "Tokens of the decode test; 0: leave it out",
    default: 128,
  },
  depth: {
    kind: "number",
    whole: true,
    min: 0,
    value: "N",
    doc: "Tokens that are held before a test begins",
    default: 0,
  },
  repeat: { kind: "number", whole: true, min: 1, value: "N", doc: "Runs of each test", default: 5 },

  graph: { kind: "boolean", doc: "Print the model's graph", default: false },
  html: {
    kind: "string",
    value: "FILE",
    doc: "Write a page instead that shows the graph as built and after every pass of the target",
  },

  reportHtml: {
    kind: "string",
    flag: "html",
    value: "FILE",
    doc: "Also write a page with the figures as plots, to be opened in any browser",
  },
  text: { kind: "string", value: "FILE", doc: "The text to predict; of a .jsonl file one text a line" },
  tasks: { kind: "string", value: "FILE", doc: "A JSONL file with questions, their choices and the answer" },
  template: {
    kind: "string",
    value: "TEXT",
    doc: "How a question is put; {question} stands for it, \\n for a line end. Unless said, “Question: {question}\\nAnswer:”",
  },
  window: {
    kind: "number",
    whole: true,
    min: 2,
    value: "N",
    doc: "Tokens that the model sees at once; its context, 1024 at most, unless said",
  },
  stride: {
    kind: "number",
    whole: true,
    min: 1,
    value: "N",
    doc: "How far windows are apart; a window unless said. Less gives every token more context, and takes longer",
  },
  maxTokens: { kind: "number", whole: true, min: 1, value: "N", doc: "Stop after predicting so many tokens" },
  blocks: { kind: "boolean", doc: "Measure the error that each block adds up to, too", default: true },
};
