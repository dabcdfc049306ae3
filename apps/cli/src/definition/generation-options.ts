import type { CliOption } from "./option.ts";

/** Options of generating: what is continued, how tokens are chosen, and how the answer is told. */
export interface GenerationOptionValues {
  prompt: readonly string[];
  promptsTxtFilePath: string;
  system: string;
  thinking: "on" | "off";
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
  suffix: string;
  inputLen: number;
  logitBias: readonly string[];
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
}

/** How each of them is spelled, checked and explained. */
export const GENERATION_OPTIONS: {
  readonly [K in keyof GenerationOptionValues]: CliOption<GenerationOptionValues[K]>;
} = {
  prompt: {
    kind: "string",
    short: "p",
    value: "TEXT",
    repeat: true,
    rivals: ["promptsTxtFilePath", "ids"],
    doc: "What to continue; split at | with --batch-size above 1. May be repeated: all are continued at once",
  },
  promptsTxtFilePath: { kind: "string", value: "FILE", rivals: ["prompt"], doc: "A file with one prompt a line" },
  system: { kind: "string", value: "TEXT", doc: "What the model is told before the conversation" },
  thinking: {
    kind: "choice",
    choices: ["on", "off"],
    doc: "Whether a model that can think before it answers does; as its chat template has it, unless said",
  },
  batchSize: {
    kind: "number",
    whole: true,
    min: 1,
    max: 4096,
    value: "N",
    doc: "How many prompts at once; prompts are repeated or cut to it. Unless said, as many as there are of --prompt, or as something compiled was made for",
    default: 1,
  },
  maxNewTokens: {
    kind: "number",
    whole: true,
    min: 1,
    value: "N",
    alias: ["generation-len"],
    doc: "Stop after so many tokens; 256 unless said, less where the context ends. A chat's answers take what room there is",
  },
  inputLen: {
    kind: "number",
    whole: true,
    min: 1,
    value: "N",
    doc: "The most tokens of a prompt: longer ones lose their beginning, or what --truncate-prompt says",
  },
  suffix: {
    kind: "string",
    value: "TEXT",
    doc: "What comes after the answer: a model that was trained to fills in between the prompt and this",
  },
  temperature: {
    kind: "number",
    min: 0,
    value: "X",
    rivals: ["greedy"],
    doc: "Above 0: sample, the higher the bolder; 0: greedy",
  },
  topK: {
    kind: "number",
    whole: true,
    min: 0,
    value: "N",
    rivals: ["greedy"],
    doc: "Sample among the N likeliest tokens; 0: all",
  },
  topP: {
    kind: "number",
    min: 0,
    max: 1,
    value: "X",
    rivals: ["greedy"],
    doc: "Sample among the likeliest tokens that add up to X",
  },
  minP: {
    kind: "number",
    min: 0,
    max: 1,
    value: "X",
    rivals: ["greedy"],
    doc: "Sample, but no tokens less likely than X times the likeliest",
  },
  typicalP: { kind: "number", min: 0, max: 1, value: "X", rivals: ["greedy"], doc: "Locally typical sampling" },
  repetitionPenalty: { kind: "number", above: 0, value: "X", doc: "Above 1: what was said before becomes less likely" },
  presencePenalty: { kind: "number", value: "X", doc: "Taken off the logit of every token generated before" },
  frequencyPenalty: { kind: "number", value: "X", doc: "The same, times how often it was generated" },
  noRepeatNgramSize: { kind: "number", whole: true, min: 0, value: "N", doc: "Never repeat N tokens in a row" },
  logitBias: {
    kind: "string",
    value: "ID=BIAS",
    repeat: true,
    doc: "Added to a token's logit, -inf to rule it out; or a JSON object of ids and biases. May be repeated",
  },
  seed: { kind: "number", whole: true, value: "N", doc: "Where sampling's randomness starts", default: 0 },
  stop: { kind: "string", value: "TEXT", repeat: true, doc: "Stop at this text. May be repeated" },
  greedy: {
    kind: "boolean",
    rivals: ["temperature", "topK", "topP", "minP", "typicalP"],
    doc: "Always the likeliest token, whatever else is said of sampling",
  },
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
  n: {
    kind: "number",
    whole: true,
    min: 1,
    max: 128,
    value: "N",
    doc: "So many answers to each prompt, drawn unless --greedy says otherwise",
  },
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
    min: 0,
    value: "X",
    doc: "Above 1: steer away from what is said after --negative-prompt, the prompt's last token unless said; below 1: towards it",
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
};
