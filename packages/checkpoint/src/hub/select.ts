import { CheckpointError } from "../error.ts";
import type { RepoFile } from "./repo.ts";

/** What is wanted of a repository. */
export interface Selection {
  /** "model": weights in one form, config and tokenizer. "config": config.json alone, enough for planning. */
  readonly want?: "model" | "config" | "tokenizer";
  /** These files and no others. */
  readonly files?: readonly string[];
  /** Nothing of these names, in which * is any text, ? any character and [ab] one of those: ["*.safetensors"]. */
  readonly ignorePatterns?: readonly string[];
}

/** Config, tokenizer and templates by the names they are published under; a repository may hold any other JSON. */
const SIDE_FILE = new RegExp(
  `^(?:${[
    "(?:config|generation_config|quantize_config|quant_config)\\.json",
    "(?:tokenizer[^/]*|special_tokens_map|added_tokens|tekken|vocab|chat_template)\\.json",
    "(?:vocab|merges)\\.txt",
    "[^/]+\\.(?:model|tiktoken|jinja)",
    "additional_chat_templates/[^/]+\\.jinja",
  ].join("|")})$`,
);

interface Form {
  readonly name: string;
  readonly weights: RegExp;
  readonly index?: string;
}

/** One form of weights is enough: the first of these that the repository has. */
const FORMS: readonly Form[] = [
  { name: "safetensors", weights: /^model\.safetensors$/ },
  { name: "safetensors shards", weights: /^model-\d{5}-of-\d{5}\.safetensors$/, index: "model.safetensors.index.json" },
  {
    name: "other safetensors",
    weights: /^(?!adapter_|consolidated)[^/]+\.safetensors$/,
    index: "model.safetensors.index.json",
  },
  { name: "PyTorch", weights: /^pytorch_model\.bin$/ },
  { name: "PyTorch shards", weights: /^pytorch_model-\d{5}-of-\d{5}\.bin$/, index: "pytorch_model.bin.index.json" },
  { name: "GGUF", weights: /^[^/]+\.gguf$/ },
  { name: "ONNX", weights: /^onnx\/[^/]+\.onnx(?:_data)?(?:_\d+)?$/ },
];

/** The files of a repository that are needed: no second form of the weights, nothing of other frameworks. */
export function selectFiles(repo: string, there: readonly RepoFile[], selection: Selection = {}): readonly RepoFile[] {
  const { files, want = "model", ignorePatterns = [] } = selection;
  const ignored = ignorePatterns.map(patternOf);
  const all = there.filter(({ path }) => !ignored.some((pattern) => pattern.test(path)));
  if (files) return files.map((path) => named(repo, all, path));
  if (want === "config") return [named(repo, all, "config.json")];
  const side = all.filter(({ path }) => SIDE_FILE.test(path));
  if (want === "tokenizer") return side;
  const form = FORMS.find(({ weights }) => all.some(({ path }) => weights.test(path)));
  if (!form) throw new CheckpointError("hub-not-found", `${repo} holds no weights in a form that can be read`);
  const weights = all.filter(({ path }) => form.weights.test(path) || path === form.index);
  if (form.name === "GGUF") refuseSeveral(repo, weights);
  return [...side, ...weights];
}

/** As Python's fnmatch reads patterns: * is also the slash. */
function patternOf(text: string): RegExp {
  const parts = text.match(/\[[^\]]+\]|./gs) ?? [];
  const source = parts.map((part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    if (part.startsWith("[") && part.length > 1) return classOf(part.slice(1, -1));
    return part.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`, "s");
}

/** One of some characters; a range that goes backwards has none. */
function classOf(characters: string): string {
  const source = `[${characters.replace(/^!/, "^").replaceAll("\\", "\\\\")}]`;
  try {
    return new RegExp(source).source;
  } catch {
    return "(?!)";
  }
}

/** One repository often holds one model in twenty quantisations; parts of one file count as one. */
function refuseSeveral(repo: string, weights: readonly RepoFile[]): void {
  const models = [...new Set(weights.map(({ path }) => path.replace(/-\d{5}-of-\d{5}\.gguf$/, "")))];
  if (models.length > 1)
    throw new CheckpointError(
      "hub-not-found",
      `${repo} holds ${models.length} GGUF files; name one: ${models.slice(0, 30).join(", ")}`,
    );
}

function named(repo: string, all: readonly RepoFile[], path: string): RepoFile {
  const file = all.find((candidate) => candidate.path === path);
  if (!file) throw new CheckpointError("hub-not-found", `${repo} has no file ${path}`);
  return file;
}
