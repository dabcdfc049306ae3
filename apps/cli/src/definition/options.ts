import { GENERATION_OPTIONS, type GenerationOptionValues } from "./generation-options.ts";
import type { CliOption } from "./option.ts";
import { SERVE_OPTIONS, type ServeOptionValues } from "./serve-options.ts";

/** What runs a model where nothing else is said. */
export const DEFAULT_TARGET = "cpu";

/** Every option that is the command line's own, by key. Targets bring theirs. */
export interface OptionValues extends GenerationOptionValues, ServeOptionValues {
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
  enableDebugLogs: boolean;
  target: string;
  force: boolean;
  install: boolean;
  buildRuntime: boolean;
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
  benchBatch: number;
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
  hfToken: {
    kind: "string",
    value: "TOKEN",
    alias: ["auth-token", "token"],
    doc: "Hub token; else HF_TOKEN or the hub's token file",
  },
  revision: { kind: "string", value: "REV", doc: "Branch, tag or commit on the hub", default: "main" },
  offline: { kind: "boolean", doc: "Use what is downloaded already; never touch the network", default: false },
  lora: { kind: "string", value: "DIR", doc: "A LoRA adapter as PEFT saves it, added to the weights as they are read" },
  modelClass: {
    kind: "string",
    value: "NAME",
    doc: "Accepted for scripts of old",
    ignored: "--model-class changes nothing: the architecture follows from the checkpoint's config",
  },
  enableDebugLogs: {
    kind: "boolean",
    doc: "Accepted for scripts of old",
    ignored: "--enable-debug-logs changes nothing: --debug says where an error happened",
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

  ...GENERATION_OPTIONS,

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
    environment: "GREEDY_TOKENS",
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
    environment: "PROMPT_TOKENS",
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
  benchBatch: {
    kind: "number",
    flag: "batch",
    alias: ["batch-size"],
    whole: true,
    min: 1,
    max: 4096,
    value: "N",
    doc: "Sequences at once; what is measured is all of them together",
    default: 1,
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
    environment: "REPORT_HTML",
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
