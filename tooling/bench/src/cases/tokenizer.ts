import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { demoModelFolder } from "@llm/demo-model";
import { goldenRoot } from "@llm/fixtures";
import type { Case, Measurement, Side } from "../case.ts";

const run = promisify(execFile);
const here = fileURLToPath(new URL("tokenizer-measure.ts", import.meta.url));
const scripts = fileURLToPath(new URL("../../../tokenizer", import.meta.url));
const work = join(tmpdir(), "llm-bench-tokenizer");

/** A Python (LLM_PYTHON, as in tests, is one too) with `pip install tokenizers==0.23.3 tiktoken==0.14.0`. */
const python = process.env.LLM_BENCH_PYTHON ?? process.env.LLM_PYTHON ?? "python3";

/** Ten megabytes of this machine's own code and prose, made once. */
async function corpus(): Promise<string> {
  const file = join(work, "corpus.txt");
  mkdirSync(work, { recursive: true });
  if (!existsSync(file)) await run(python, [join(scripts, "corpus.py"), file]);
  return file;
}

/** A golden tokenizer's files, unpacked, since the peers read files. */
function unpacked(name: string): string {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(`${goldenRoot}/tokenizers/${name}`)) {
    if (file.startsWith("golden")) continue;
    const bytes = readFileSync(`${goldenRoot}/tokenizers/${name}/${file}`);
    writeFileSync(join(folder, file.replace(/\.gz$/, "")), file.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  }
  return folder;
}

/** One measurement in a fresh process: cold caches, one thread, its own peak of memory. */
function side(name: string, detail: string, command: string, args: (corpus: string) => readonly string[]): Side {
  return {
    name,
    detail,
    async prepare() {
      await corpus();
    },
    async run() {
      try {
        const { stdout } = await run(command, args(await corpus()), { maxBuffer: 1 << 20 });
        return JSON.parse(stdout) as Measurement;
      } catch (error) {
        const reason = error instanceof Error ? error.message.trim().split("\n").at(-1) : String(error);
        throw new Error(`${name}: ${reason} (Python's sides: LLM_BENCH_PYTHON with tokenizers and tiktoken installed)`);
      }
    },
  };
}

const node = (name: string, detail: string, file: string) =>
  side(name, detail, process.execPath, (text) => ["--expose-gc", here, name, file, text]);
const rust = (library: string, file: string) =>
  side(`${library} (Rust)`, "through Python, one thread", python, (text) => [
    join(scripts, "measure.py"),
    library,
    file,
    text,
  ]);

function tokenizerCase(name: string, title: string, baseline: string, sides: () => readonly Side[]): Case {
  return {
    name: `tokenizer-${name}`,
    title: `Encoding 10 MB of code and prose: ${title}`,
    metrics: [
      { key: "speed", unit: "MB/s", better: "higher", bar: 1 },
      { key: "load", unit: "ms", better: "lower" },
      // What loading and encoding add at most; the whole process, interpreter, library and corpus included.
      { key: "memory", unit: "MB", better: "lower", bar: 1 },
      { key: "process", unit: "MB", better: "lower" },
      { key: "tokens", unit: "tokens", better: "lower" },
    ],
    rounds: 3,
    baseline,
    sides: async () => sides(),
  };
}

const against = (name: string, title: string, folder: () => string) =>
  tokenizerCase(name, title, "tokenizers (Rust)", () => {
    const file = join(folder(), "tokenizer.json");
    return [
      node("ours", "cold caches", file),
      node("@huggingface/tokenizers", "0.2.0", file),
      rust("tokenizers", file),
    ];
  });

/** The claims: the Rust library's speed at least, and ahead of every one in JavaScript. */
export const tokenizerCases: readonly Case[] = [
  against("gpt2", "GPT-2", () => unpacked("real_gpt2")),
  against("starcoder", "StarCoder's kind (the bundled checkpoint's)", () => demoModelFolder),
  against("llama", "Llama's kind", () => unpacked("spm_llama2")),
  against("qwen", "Qwen 2.5, 150 k tokens", () => unpacked("real_qwen2_5")),
  tokenizerCase("cl100k", "cl100k", "tiktoken (Rust)", () => {
    const file = join(unpacked("tiktoken_cl100k_base"), "cl100k_base.tiktoken");
    return [
      node("ours", "cold caches", file),
      node("js-tiktoken", "1.0.21", file),
      node("gpt-tokenizer", "4.0.0", file),
      rust("tiktoken", file),
    ];
  }),
];
