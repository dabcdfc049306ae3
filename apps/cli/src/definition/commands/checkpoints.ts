import { MODEL } from "../arguments.ts";
import type { Command } from "../command.ts";
import { COMMON, MODEL_OPTIONS } from "../groups.ts";

/** Commands about checkpoints: getting them, looking into them, their text and numbers. */
export const CHECKPOINTS: readonly Command[] = [
  {
    name: "pull",
    summary: "Download a model, resuming what was interrupted",
    about: "Into the hub's own cache, which other programs share. What is there is not fetched again.",
    arguments: [MODEL],
    options: [...MODEL_OPTIONS.filter((key) => key !== "config"), ...COMMON],
    targetOptions: false,
    examples: [{ line: "llm pull bigcode/starcoderbase-1b", doc: "config, tokenizer and one form of the weights" }],
    json: { files: "[{path, bytes, sha256}]; empty for what is on this machine already", folder: "where they are" },
    load: () => import("../../commands/pull.ts"),
  },
  {
    name: "login",
    summary: "Keep a hub token, for models that need one",
    about:
      "The token is typed, unseen, or read from stdin, and kept where the hub's own tools keep it, for its owner's eyes only. " +
      "--hf-token and HF_TOKEN go before it.",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm login", doc: "asks for it; from a file: llm login < token.txt" }],
    json: { file: "where it is kept" },
    load: () => import("../../commands/login.ts"),
  },
  {
    name: "logout",
    summary: "Forget the hub token that `llm login` kept",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm logout", doc: "for this machine; the token itself stays valid on the hub" }],
    json: { file: "what was removed; null when there was none" },
    load: () => import("../../commands/logout.ts"),
  },
  {
    name: "inspect",
    summary: "Say what a checkpoint, ONNX file, exported folder, bmodel, QPC or tokenizer holds",
    about: "Only headers are read; of a hub id, all of the model is downloaded first, as a run needs it.",
    arguments: [
      {
        ...MODEL,
        name: "THING",
        doc: "a MODEL, an .onnx file, an exported folder, a .bmodel, a QPC or its folder, or a tokenizer.json",
      },
    ],
    options: ["graph", "html", "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: "llm inspect demo", doc: "what the bundled checkpoint is" },
      { line: "llm inspect demo --graph", doc: "the graph that is made of it, as text" },
      { line: "llm inspect demo --graph --html graph.html", doc: "as a picture, before and after every pass" },
    ],
    json: { kind: "checkpoint, onnx, artefact, bmodel, qpc or tokenizer; the other fields follow from it" },
    load: () => import("../../commands/inspect.ts"),
  },
  {
    name: "logits",
    summary: "Raw numbers, for comparing with any other implementation",
    about:
      "Writes a safetensors file: `logits` f32 [n, vocab]; with --hidden `hidden.i` f32 [n, width], i = 0 for the input of the first block, " +
      "then after each block. The target `reference` is the plain interpreter.",
    arguments: [MODEL],
    options: ["ids", "prompt", "hidden", "greedyTokens", "target", "out", "lora", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    reference: true,
    examples: [
      { line: "llm logits demo --ids 1,2,3 --target reference --out out.safetensors", doc: "of three tokens" },
    ],
    json: {
      file: "what was written",
      shape: "[n, vocab]",
      argmax: "the likeliest next token after each",
      greedy: "with --greedy N: the N ids that follow",
    },
    load: () => import("../../commands/logits.ts"),
  },
  {
    name: "tokenize",
    summary: "Text to token ids",
    arguments: [MODEL, { name: "TEXT", key: "text", doc: "the text; else stdin", rest: true, flags: ["text"] }],
    options: ["in", "special", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: false,
    examples: [
      { line: 'llm tokenize demo "def main():"', doc: "the ids of a text" },
      { line: "llm tokenize demo --in texts.jsonl", doc: "one JSON string a line in, one array of ids a line out" },
    ],
    json: { ids: "the ids; with --in, an array of them for each line" },
    load: () => import("../../commands/tokenize.ts"),
  },
  {
    name: "detokenize",
    summary: "Token ids to text",
    arguments: [
      MODEL,
      { name: "IDS", key: "ids", doc: "ids separated by commas; else stdin", rest: true, flags: ["ids"] },
    ],
    options: ["in", "special", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: false,
    examples: [{ line: "llm detokenize demo 333,305", doc: "the text of two tokens" }],
    json: { text: "the text; with --in, an array with one for each line" },
    load: () => import("../../commands/detokenize.ts"),
  },
  {
    name: "template",
    summary: "The prompt that a model's chat template makes of a conversation",
    arguments: [MODEL],
    options: ["messages", "tools", "addGenerationPrompt", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm template demo --messages chat.json --add-generation-prompt", doc: "where the answer begins" },
    ],
    json: { text: "the prompt" },
    load: () => import("../../commands/template.ts"),
  },
];
