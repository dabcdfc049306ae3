import { ARTEFACT_OR_MODEL, MODEL } from "../arguments.ts";
import type { Command } from "../command.ts";
import { COMMON, GENERATION, MODEL_OPTIONS, SAMPLING, SEARCH } from "../groups.ts";

/** Commands that generate text. */
export const GENERATING: readonly Command[] = [
  {
    name: "infer",
    summary: "Everything at once: fetch, export, verify, compile, run",
    about:
      "Every stage is skipped when what it would make is there already and still true, which is decided by content, never by name. " +
      "The verification here is short: a few tokens through the first, a middle and the last block; `llm verify` is the whole of it.",
    arguments: [MODEL],
    options: [...GENERATION, "automation", "target", "force", "lora", ...MODEL_OPTIONS, ...COMMON],
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
    load: () => import("../../commands/infer.ts"),
  },
  {
    name: "run",
    summary: "Generate text with something exported, or straight from a checkpoint",
    about:
      "Without a prompt it says something to “My name is”. A checkpoint that was never exported is exported first.",
    arguments: ARTEFACT_OR_MODEL,
    options: [...GENERATION, "automation", "target", "lora", ...MODEL_OPTIONS, ...COMMON],
    targetOptions: true,
    examples: [
      { line: 'llm run demo --prompt "import os" --max-new-tokens 32', doc: "the bundled checkpoint" },
      {
        line: 'llm run demo --prompt "def add(a, b):" --suffix "    return total"',
        doc: "what belongs between two texts",
      },
      {
        line: 'llm run demo --prompt "import os" --temperature 0.8 --seed 7 --logit-bias 12=-inf',
        doc: "drawn, the same each time, and without one token",
      },
      {
        line: "llm run ./demo-cpu --prompts-txt-file-path prompts.txt --batch-size 4",
        doc: "four prompts of a file at once",
      },
      {
        line: "llm run demo --target aic100 --emulate --automation",
        doc: "as Cloud AI 100 would, here, with its library's figures",
      },
    ],
    json: {
      completions: "[{prompt, text, tokens, finishReason}]",
      timings: "{ttftMs, prefillTokensPerSecond, decodeTokensPerSecond, totalTokensPerSecond}",
    },
    load: () => import("../../commands/run.ts"),
  },
  {
    name: "chat",
    summary: "Talk with a model in the terminal",
    about:
      "By the model's own chat template, or a plain one where it has none. Ctrl-C stops an answer, Ctrl-D (or Ctrl-C twice) ends the conversation; " +
      "/clear forgets it, /help says what else may be typed. Thoughts before an answer are shown at a terminal alone.",
    arguments: ARTEFACT_OR_MODEL,
    options: [
      "system",
      "thinking",
      ...SAMPLING,
      ...SEARCH,
      "draftModel",
      "stream",
      "target",
      "lora",
      ...MODEL_OPTIONS,
      ...COMMON,
    ],
    targetOptions: true,
    examples: [{ line: "llm chat demo --temperature 0.7", doc: "with the bundled checkpoint, which knows little" }],
    json: { messages: "[{role, content, reasoning_content, finish_reason}], the conversation since it last began" },
    load: () => import("../../commands/chat.ts"),
  },
  {
    name: "serve",
    summary: "Answer over HTTP, in OpenAI's protocol",
    about:
      "Clients of OpenAI's interface work with its address and /v1, Anthropic's with its address, editors with /infill; docs/server.md says what each " +
      "takes. It answers /health while the model is still being opened. When it is interrupted, answers under way are finished within --drain; a second time ends it at once.",
    arguments: ARTEFACT_OR_MODEL,
    options: [
      "host",
      "port",
      "slots",
      "also",
      "alias",
      "adapter",
      "memoryLimit",
      "lora",
      "speculate",
      "draftModel",
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
      {
        line: "llm serve ./my-model --alias gpt-4",
        doc: "for a client that can't be told another name; my-model would be its name else",
      },
      {
        line: "llm serve bigcode/starcoderbase-1b --adapter sql=./sql-lora --adapter docs=./docs-lora",
        doc: "one model under three names, two of them with an adapter",
      },
      {
        line: "llm serve bigcode/starcoderbase-7b --draft-model bigcode/starcoderbase-1b",
        doc: "a small model guesses what the large one will say: the same answers in fewer steps",
      },
    ],
    json: { address: "where it listens, told as soon as it does" },
    load: () => import("../../commands/serve.ts"),
  },
];
