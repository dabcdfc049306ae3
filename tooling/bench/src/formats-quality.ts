/**
 * `pnpm docs:formats [--tokens N]`: what every number format costs the bundled checkpoint, on text that it was not trained on, as
 * the table in docs/formats.md. The text is this repository's own Python, which is no part of the standard library.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { codecOf, FORMATS } from "@llm/tensor";
import {
  deviceEngine,
  evaluate,
  findTarget,
  openModel,
  resolveModel,
  tokenizerOf,
  type Variant,
  type VariantReport,
} from "@llm/toolchain";

const tooling = fileURLToPath(new URL("../../", import.meta.url));
const page = fileURLToPath(new URL("../../../docs/formats.md", import.meta.url));
const [BEGIN, END] = ["<!-- quality: made by pnpm docs:formats -->", "<!-- /quality -->"];

/** Columns of a matrix that every format can cut. */
const COLUMNS = 512;

/** Names of formats that weights can be rounded to here; the others are only read. */
function formatsMade(): readonly string[] {
  return Object.keys(FORMATS).filter((format) => {
    try {
      codecOf({ format }).round(new Float32Array(COLUMNS * 64).fill(0.5), 64, COLUMNS);
      return true;
    } catch {
      return false;
    }
  });
}

function variants(): readonly Variant[] {
  const weights = formatsMade().map((format) => ({ name: `\`${format}\``, options: { format, emulate: true } }));
  const groups = [64, 128].map((qGroupSize) => ({
    name: `\`int4\`, groups of ${qGroupSize}`,
    options: { format: "int4", emulate: true, qGroupSize },
  }));
  const kernels = ["int8", "int4"].map((format) => ({
    name: `\`${format}\`, the CPU target's kernels`,
    options: { format },
  }));
  const caches = ["fp16", "int8", "mxint8", "mxfp6", "mxfp4"].map((kvFormat) => ({
    name: `cache in \`${kvFormat}\``,
    options: { kvFormat },
  }));
  const activations = ["fp16", "bf16"].map((format) => ({
    name: `activations in \`${format}\``,
    options: { activations: format },
  }));
  const recipe = {
    name: "AI 100's: `mxfp6`, cache in `mxint8`, activations in `fp16`",
    options: { format: "mxfp6", kvFormat: "mxint8", activations: "fp16" },
  };
  return [...weights, ...groups, ...kernels, ...caches, ...activations, recipe];
}

function pythonOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".py") && !path.includes("node_modules"))
    .sort();
  return files.map((path) => readFileSync(join(folder, path), "utf8")).join("\n");
}

function row({ name, bytes, bitsPerWeight, perplexity, kl, top1Agreement }: VariantReport): string {
  const cells = [
    name,
    `${(bytes / 1e6).toFixed(2)} MB`,
    bitsPerWeight.toFixed(2),
    perplexity!.toFixed(2),
    kl!.toFixed(5),
    `${(top1Agreement! * 100).toFixed(1)} %`,
  ];
  return `| ${cells.join(" | ")} |`;
}

const { values } = parseArgs({ options: { tokens: { type: "string", default: "8000" } } });
const folder = mkdtempSync(join(tmpdir(), "formats-quality-"));
try {
  const text = pythonOf(tooling);
  writeFileSync(join(folder, "text.py"), text);
  const { path, name } = await resolveModel("demo");
  const model = await openModel(path, { name });
  const { target } = await findTarget("cpu");
  const report = await evaluate(model, await tokenizerOf(model.checkpoint), deviceEngine(model, target), {
    text: join(folder, "text.py"),
    maxTokens: Number(values.tokens),
    blocks: false,
    variants: variants(),
    onProgress: ({ variant, done, total }) => process.stderr.write(`\r${variant} ${done}/${total}\x1b[K`),
  });
  await model.close();
  const [first] = report.variants;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const table = [
    BEGIN,
    "",
    `${new Date().toISOString().slice(0, 10)}: the bundled checkpoint, ${first!.tokens} tokens of the Python in \`tooling/\` (${hash}…) in windows of ${report.context}.`,
    "",
    "| weights, unless said | size | bits a weight | perplexity | KL, nats a token | same top token |",
    "| --- | --- | --- | --- | --- | --- |",
    ...report.variants.map(row),
    "",
    END,
  ].join("\n");
  const before = readFileSync(page, "utf8");
  const [start, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${page} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(page, before.slice(0, start) + table + before.slice(end + END.length));
  console.log(table);
} finally {
  rmSync(folder, { recursive: true });
}
