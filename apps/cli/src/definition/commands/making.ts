import { ARTEFACT, ARTEFACT_OR_MODEL, MODEL } from "../arguments.ts";
import type { Command } from "../command.ts";
import { COMMON, MODEL_OPTIONS } from "../groups.ts";

/** Commands that make something of a checkpoint, and say what it is worth. */
export const MAKING: readonly Command[] = [
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
      "fixedShapes",
      "dtypes",
      "force",
      "lora",
      ...MODEL_OPTIONS,
      ...COMMON,
    ],
    targetOptions: true,
    examples: [
      { line: "llm export demo --target onnx --out demo-onnx", doc: "standard ONNX for any runtime" },
      { line: "llm export demo --target transformersjs --dtypes q8 --out demo-js", doc: "for JavaScript, in 8 bits" },
      { line: "llm export demo --target onnx --per-block --out demo-blocks", doc: "block by block, and heads" },
      { line: "llm export demo --target onnx --genai --out demo-genai", doc: "for onnxruntime-genai" },
      {
        line: "llm export demo --target onnx --no-kv --fixed-shapes batch_size=1,sequence_length=128 --out demo-fixed",
        doc: "for runtimes that want to know every size",
      },
      { line: "llm export demo --target cpu --out demo-cpu", doc: "what `llm run` takes" },
    ],
    json: {
      files: "[{path, bytes, linked}]",
      seconds: "how long it took",
      peakRssBytes: "most memory in use",
      bytesWritten: "of new files",
      upToDate: "true where a device's was made before, of the same things",
      bytesReferenced: "of weights that stayed where they were",
    },
    load: () => import("../../commands/export.ts"),
  },
  {
    name: "verify",
    summary: "Prove an exported graph against the reference, block by block",
    about:
      "The same tokens run through both, and what each block hands on is compared, so that an error shows where it begins. The exit code is 1 when a figure is past its threshold.",
    arguments: [MODEL],
    options: ["layers", "prompt", "ids", "against", "reportHtml", "target", "lora", ...MODEL_OPTIONS, ...COMMON],
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
    load: () => import("../../commands/verify.ts"),
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
      "lora",
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
    load: () => import("../../commands/eval.ts"),
  },
  {
    name: "compile",
    summary: "Make what a target runs, and keep it",
    about:
      "Units that were made before from the same things are not made again; an interrupted run goes on where it was.",
    arguments: [MODEL],
    options: ["target", "out", "force", "lora", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [{ line: "llm compile demo --target cpu", doc: "into the cache, where `llm run` finds it" }],
    json: {
      artefact: "its folder",
      finished: "false when the compiler is still to be run, elsewhere; the exit code is 3",
      units: "[{name, cached, seconds, peakRssBytes, peakDiskBytes}]",
      seconds: "how long all of it took",
    },
    load: () => import("../../commands/compile.ts"),
  },
  {
    name: "pack",
    summary: "One file with all that a host without a network needs",
    about:
      "Tokenizer, template, manifest and nets in a plain tar. `llm run` opens it as it is, after unpacking it once into the cache; " +
      "tar -xf unpacks it as well.",
    arguments: [ARTEFACT],
    options: ["out", ...COMMON],
    targetOptions: false,
    examples: [
      { line: "llm pack wizardcoder-15B_int4.bmodel --out wizardcoder.tar", doc: "with the tokenizer beside it" },
      { line: "llm pack ./demo-cpu", doc: "an exported folder; `llm run demo-cpu.tar` runs it on the other machine" },
    ],
    json: { file: "the pack", bytes: "its size", files: "what is in it" },
    load: () => import("../../commands/pack.ts"),
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
      devices:
        "[{name, total, weights, kv, activations, instructions, reserve, tables, free}], in bytes; instructions are a part of activations, tables of nothing",
      why: "what decides, in a sentence",
      speed: "{decode, prefill}: {most, usual, by}, tokens a second of all sequences; where the target knows",
      assumptions: "[{name, value, unit, why}]: numbers that it goes by and no file says",
      mesh: "with --mesh: the mesh that is planned, such as 1x4",
      meshes:
        "with --mesh: [{mesh, fits, weights, kv, toldPerToken, toldPerChunk, talksPerToken, stepSeconds, chunkSeconds, tokensPerSecond}], best first",
    },
    load: () => import("../../commands/plan.ts"),
  },
  {
    name: "bench",
    summary: "How fast a model is on a target: prefill and decode",
    arguments: ARTEFACT_OR_MODEL,
    options: ["promptTokens", "gen", "benchBatch", "depth", "repeat", "target", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: "llm bench demo --prompt 512 --gen 128", doc: "both tests, five runs each" },
      { line: "llm bench demo --batch 8 --prompt 0 --repeat 3", doc: "eight sequences, decoded together" },
    ],
    json: {
      tests: '[{name: "pp512" or "tg128", tokensPerSecond: {mean, stdev}}]',
      loadSeconds: "until it could run, exports included",
      peakRssBytes: "most memory in use",
    },
    load: () => import("../../commands/bench.ts"),
  },
];
