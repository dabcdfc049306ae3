import { ARTEFACT_OR_MODEL, ARTEFACT_OR_MODEL_PLACE, MODEL } from "./arguments.ts";
import type { Command } from "./command.ts";
import { COMMON, GENERATION, MODEL_OPTIONS, SAMPLING } from "./groups.ts";

/** The commands, in the order people meet them. What isn't here isn't in the program. */
export const COMMANDS: readonly Command[] = [
  {
    name: "infer",
    summary: "Everything at once: fetch, export, verify, compile, run",
    about:
      "Every stage is skipped when what it would make is there already and still true, which is decided by content, never by name. " +
      "The verification here is short: a few tokens through the first, a middle and the last block; `llm verify` is the whole of it.",
    arguments: [MODEL],
    options: [...GENERATION, "target", "force", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: 'llm infer --prompt "def fibonacci(n):"', doc: "the bundled checkpoint, on the CPU" },
      {
        line: 'llm infer bigcode/starcoderbase-1b --prompt "def main():" --max-new-tokens 64',
        doc: "one from the hub",
      },
    ],
    json: {
      text: "what the model wrote",
      tokens: "its token ids",
      stages: "[{name, skipped, seconds}]",
      timings: "{ttftMs, prefillTokensPerSecond, decodeTokensPerSecond, totalTokensPerSecond}",
      completions: "[{prompt, text, tokens, finishReason}], one for each prompt",
    },
    load: () => import("../commands/infer.ts"),
  },
  {
    name: "run",
    summary: "Generate text with something exported, or straight from a checkpoint",
    about:
      "Without a prompt it says something to “My name is”. A checkpoint that was never exported is exported first.",
    arguments: ARTEFACT_OR_MODEL,
    options: [...GENERATION, "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: 'llm run demo --prompt "import os" --max-new-tokens 32', doc: "the bundled checkpoint" },
      {
        line: "llm run ./demo-cpu --prompts-txt-file-path prompts.txt --batch-size 4",
        doc: "four prompts of a file at once",
      },
    ],
    json: {
      completions: "[{prompt, text, tokens, finishReason}]",
      timings: "{ttftMs, prefillTokensPerSecond, decodeTokensPerSecond, totalTokensPerSecond}",
    },
    load: () => import("../commands/run.ts"),
  },
  {
    name: "chat",
    summary: "Talk with a model in the terminal",
    about:
      "By the model's own chat template, or a plain one where it has none. Ctrl-C stops an answer, Ctrl-D ends the conversation.",
    arguments: [ARTEFACT_OR_MODEL_PLACE],
    options: ["system", ...SAMPLING, "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [{ line: "llm chat demo --temperature 0.7", doc: "with the bundled checkpoint, which knows little" }],
    json: { messages: "[{role, content}], the whole conversation" },
    load: () => import("../commands/chat.ts"),
  },
  {
    name: "serve",
    summary: "Answer over HTTP, in OpenAI's protocol",
    about:
      "Clients of OpenAI's interface work with its address and /v1, Anthropic's with its address, editors with /infill; docs/server.md says what each " +
      "takes. It answers /health while the model is still being opened. When it is interrupted, answers under way are finished within --drain; a second time ends it at once.",
    arguments: [ARTEFACT_OR_MODEL_PLACE],
    options: [
      "host",
      "port",
      "slots",
      "also",
      "memoryLimit",
      "apiKey",
      "apiKeyFile",
      "cors",
      "tlsCert",
      "tlsKey",
      "queue",
      "atOnce",
      "perMinute",
      "drain",
      "log",
      "logPrompts",
      "target",
      ...MODEL_OPTIONS,
      ...COMMON,
    ],
    targetOptions: true,
    examples: [
      { line: "llm serve demo --port 8080", doc: "then: curl http://127.0.0.1:8080/v1/models" },
      {
        line: "llm serve demo --host 0.0.0.0 --api-key-file keys.txt --tls-cert cert.pem --tls-key key.pem --per-minute 60",
        doc: "for others: with keys, encrypted, a request a second each",
      },
      {
        line: "llm serve bigcode/starcoderbase-1b --also demo --memory-limit 8",
        doc: "two models, at most 8 GB of them open",
      },
    ],
    json: { address: "where it listened" },
    load: () => import("../commands/serve.ts"),
  },
  {
    name: "pull",
    summary: "Download a model, resuming what was interrupted",
    about: "Into the hub's own cache, which other programs share. What is there is not fetched again.",
    arguments: [MODEL],
    options: [...MODEL_OPTIONS.filter((key) => key !== "config"), ...COMMON],
    targetOptions: false,
    examples: [{ line: "llm pull bigcode/starcoderbase-1b", doc: "config, tokenizer and one form of the weights" }],
    json: { files: "[{path, bytes, sha256}]; empty for what is on this machine already", folder: "where they are" },
    load: () => import("../commands/pull.ts"),
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
    load: () => import("../commands/login.ts"),
  },
  {
    name: "logout",
    summary: "Forget the hub token that `llm login` kept",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm logout", doc: "for this machine; the token itself stays valid on the hub" }],
    json: { file: "what was removed; null when there was none" },
    load: () => import("../commands/logout.ts"),
  },
  {
    name: "inspect",
    summary: "Say what a checkpoint, ONNX file, exported folder, bmodel or tokenizer holds",
    arguments: [
      { ...MODEL, name: "THING", doc: "a MODEL, an .onnx file, an exported folder, a .bmodel or a tokenizer.json" },
    ],
    options: ["graph", "html", "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: "llm inspect demo", doc: "what the bundled checkpoint is" },
      { line: "llm inspect demo --graph", doc: "the graph that is made of it, as text" },
      { line: "llm inspect demo --graph --html graph.html", doc: "as a picture, before and after every pass" },
    ],
    json: { kind: "checkpoint, onnx, artefact, bmodel or tokenizer; the other fields follow from it" },
    load: () => import("../commands/inspect.ts"),
  },
  {
    name: "export",
    summary: "Make an inference graph of a checkpoint, as ONNX",
    about:
      "The weights stay where they are: the graph points into the checkpoint's own files wherever their layout allows, " +
      "by hard links, so that the folder is complete. --copy copies them. Besides devices, --target takes onnx (standard ONNX, the default) " +
      "and transformersjs (a folder for @huggingface/transformers).",
    arguments: [MODEL],
    options: [
      "target",
      "out",
      "copy",
      "kv",
      "name",
      "saveFp32Onnx",
      "saveFp16Onnx",
      "perBlock",
      "genai",
      "dtypes",
      "force",
      ...MODEL_OPTIONS,
      ...COMMON,
    ],
    targetOptions: true,
    examples: [
      { line: "llm export demo --target onnx --out demo-onnx", doc: "standard ONNX for any runtime" },
      { line: "llm export demo --target transformersjs --dtypes q8 --out demo-js", doc: "for JavaScript, in 8 bits" },
      { line: "llm export demo --target onnx --per-block --out demo-blocks", doc: "block by block, and heads" },
      { line: "llm export demo --target onnx --genai --out demo-genai", doc: "for onnxruntime-genai" },
      { line: "llm export demo --target cpu --out demo-cpu", doc: "what `llm run` takes" },
    ],
    json: {
      files: "[{path, bytes, linked}]",
      seconds: "how long it took",
      peakRssBytes: "most memory in use",
      bytesWritten: "of new files",
      bytesReferenced: "of weights that stayed where they were",
    },
    load: () => import("../commands/export.ts"),
  },
  {
    name: "verify",
    summary: "Prove an exported graph against the reference, block by block",
    about:
      "The same tokens run through both, and what each block hands on is compared, so that an error shows where it begins. The exit code is 1 when a figure is past its threshold.",
    arguments: [MODEL],
    options: ["layers", "prompt", "ids", "against", "reportHtml", "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: "llm verify demo", doc: "every block of the bundled checkpoint" },
      { line: 'llm verify demo --prompt "def main():"', doc: "with tokens of one's own" },
      { line: "llm verify demo --against dump.safetensors", doc: "against tensors that another implementation dumped" },
      { line: "llm verify demo --layers 0-1", doc: "the first two blocks" },
      { line: "llm verify demo --format mxfp6 --html errors.html", doc: "the error of every block, as a plot" },
    ],
    json: {
      blocks: "[{name, mse, maxAbs, cosine}]",
      logits: "{mse, maxAbs, cosine, top1Agreement}",
      ok: "whether all thresholds held",
    },
    load: () => import("../commands/verify.ts"),
  },
  {
    name: "eval",
    summary: "What a number format costs: perplexity, divergence, agreement, tasks",
    about:
      "The model in a format (--format, --kv-format, --activations; several formats separated by commas) against itself unquantised. " +
      "The text is read in windows, so that memory doesn't grow with it; what is interrupted goes on where it was. Questions are put as evaluation harnesses do: " +
      "each choice by its log-likelihood, and by that for each character. The target `reference` is the plain interpreter.",
    arguments: [MODEL],
    options: [
      "text",
      "tasks",
      "template",
      "window",
      "stride",
      "maxTokens",
      "blocks",
      "reportHtml",
      "target",
      "force",
      ...MODEL_OPTIONS,
      ...COMMON,
    ],
    targetOptions: true,
    reference: true,
    examples: [
      {
        line: "llm eval demo --text notes.txt --format mxfp6",
        doc: "weights in MXFP6, rounded and computed in float32",
      },
      {
        line: "llm eval demo --text notes.txt --format int8,int4,mxfp6,mxfp4 --html formats.html",
        doc: "several formats, as a plot of quality against size",
      },
      { line: "llm eval demo --text notes.txt --kv-format mxint8 --activations fp16", doc: "a cache and activations" },
      { line: "llm eval demo --tasks questions.jsonl", doc: "multiple choice" },
    ],
    json: {
      perplexity: "of the text, in the first format",
      kl: "nats a token, of it from the unquantised model",
      top1Agreement: "how often both think the same token likeliest",
      choices: "with --tasks: {questions, accuracy, normalisedAccuracy}",
      variants:
        "[{name, bytes, bitsPerWeight, perplexity, kl, top1Agreement, blocks: [{name, relative}]}], one for each format",
    },
    load: () => import("../commands/eval.ts"),
  },
  {
    name: "compile",
    summary: "Make what a target runs, and keep it",
    about:
      "Units that were made before from the same things are not made again; an interrupted run goes on where it was.",
    arguments: [MODEL],
    options: ["target", "out", "force", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [{ line: "llm compile demo --target cpu", doc: "into the cache, where `llm run` finds it" }],
    json: {
      artefact: "its folder",
      units: "[{name, cached, seconds, peakRssBytes}]",
      seconds: "how long all of it took",
    },
    load: () => import("../commands/compile.ts"),
  },
  {
    name: "pack",
    summary: "One file of an artefact or a .bmodel, with all that a host without a network needs",
    about:
      "Tokenizer, template, manifest and nets in a plain tar. `llm run` opens it as it is, after unpacking it once into the cache; " +
      "tar -xf unpacks it as well.",
    arguments: [{ name: "ARTEFACT", key: "thing", doc: "a folder that `llm compile` made, or a device's own file" }],
    options: ["out", ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm pack wizardcoder-15B_int4.bmodel --out wizardcoder.tar", doc: "with the tokenizer beside it" },
      { line: "llm run wizardcoder.tar --prompt 'def main():'", doc: "on the other machine" },
    ],
    json: { file: "the pack", bytes: "its size", files: "what is in it" },
    load: () => import("../commands/pack.ts"),
  },
  {
    name: "plan",
    summary: "What a model needs on a target and whether that fits",
    about:
      "Needs no weights: a folder with a config.json is enough, and of a hub id only that file is fetched. The exit code is 1 when it doesn't fit.",
    arguments: [MODEL],
    options: ["target", "planBatchSize", "planMesh", "reportHtml", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: "llm plan demo --target cpu --batch-size max", doc: "how many sequences this machine can hold" },
      {
        line: "llm plan bigcode/starcoder --target aic100 --card dl2q --format mx6 --ctx-len 8192 --batch-size max --html plan.html",
        doc: "with a page that shows where each gigabyte goes",
      },
      {
        line: "llm plan bigcode/starcoder --target bm1684x --mesh auto",
        doc: "how several devices would share it best",
      },
    ],
    json: {
      fits: "whether it does",
      maxBatchSize: "how many sequences would",
      devices: "[{name, total, weights, kv, activations, instructions, reserve, free}], in bytes",
      why: "what decides, in a sentence",
      speed: "{decode, prefill}: {most, usual, by}, tokens a second of all sequences; where the target knows",
      assumptions: "[{name, value, unit, why}]: numbers that it goes by and no file says",
      mesh: "with --mesh: the mesh that is planned, such as 1x4",
      meshes:
        "with --mesh: [{mesh, fits, weights, kv, toldPerToken, toldPerChunk, talksPerToken, stepSeconds, chunkSeconds, tokensPerSecond}], best first",
    },
    load: () => import("../commands/plan.ts"),
  },
  {
    name: "bench",
    summary: "How fast a model is on a target: prefill and decode",
    arguments: [ARTEFACT_OR_MODEL_PLACE],
    options: ["promptTokens", "gen", "batchSize", "depth", "repeat", "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [{ line: "llm bench demo --prompt 512 --gen 128", doc: "both tests, five runs each" }],
    json: {
      tests: '[{name: "pp512" or "tg128", tokensPerSecond: {mean, stdev}}]',
      loadSeconds: "until it could run, exports included",
      peakRssBytes: "most memory in use",
    },
    load: () => import("../commands/bench.ts"),
  },
  {
    name: "logits",
    summary: "Raw numbers, for comparing with any other implementation",
    about:
      "Writes a safetensors file: `logits` f32 [n, vocab]; with --hidden `hidden.i` f32 [n, width], i = 0 for the input of the first block, " +
      "then after each block. The target `reference` is the plain interpreter.",
    arguments: [MODEL],
    options: ["ids", "prompt", "hidden", "greedyTokens", "target", "out", ...MODEL_OPTIONS, ...COMMON],
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
    load: () => import("../commands/logits.ts"),
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
    load: () => import("../commands/tokenize.ts"),
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
    load: () => import("../commands/detokenize.ts"),
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
    load: () => import("../commands/template.ts"),
  },
  {
    name: "conformance",
    summary: "Check that a target does on this machine what every target must",
    about:
      "Sessions in every state, caches, forks and refusals, builds that are killed and go on, with a small model. For owners of devices " +
      "that its makers have none of: the report says on what it was shown.",
    arguments: [MODEL],
    options: ["target", "report", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [{ line: "llm conformance demo --target cpu --report report.json", doc: "a file to send back" }],
    json: {
      passed: "how many",
      failed: "how many",
      checks: "[{name, state, seconds, reason}]",
      machine: "{platform, arch, processor}",
    },
    load: () => import("../commands/conformance.ts"),
  },
  {
    name: "cache",
    summary: "List what is kept on disk, and remove it",
    about:
      "Downloads of the hub (shared with its own tools), finished artefacts, units, unpacked tools. Everything there is fetched or made " +
      "again when it is wanted.",
    arguments: [],
    options: ["remove", "olderThan", "partial", "yes", "cacheDir", ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm cache", doc: "what there is, largest first" },
      {
        line: "llm cache --older-than 30 --partial --yes",
        doc: "what wasn't touched for a month, and broken downloads",
      },
    ],
    json: { entries: "[{kind, name, path, bytes, changed}]", bytes: "of all together", removed: "[name]" },
    load: () => import("../commands/cache.ts"),
  },
  {
    name: "passes",
    summary: "The graph passes, what each does and takes",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm passes", doc: "those of the core and of every installed target" }],
    json: { passes: "[{name, from, doc, params}]" },
    load: () => import("../commands/passes.ts"),
  },
  {
    name: "targets",
    summary: "Which devices can be targeted, and what each can do",
    arguments: [],
    options: COMMON,
    targetOptions: false,
    examples: [{ line: "llm targets", doc: "one line for each target that is installed" }],
    json: { targets: "[{id, title, package, version, options, features}]" },
    load: () => import("../commands/targets.ts"),
  },
  {
    name: "doctor",
    summary: "What works on this machine, what is missing and how to get it",
    arguments: [],
    options: ["target", "install", "cacheDir", ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm doctor --target cpu", doc: "only what one target needs" },
      { line: "llm doctor --target bm1684x --install", doc: "fetch the vendor's compiler, and try it" },
    ],
    json: { findings: "[{target, name, state, detail, fix}]", ok: "whether nothing is missing" },
    load: () => import("../commands/doctor.ts"),
  },
];
