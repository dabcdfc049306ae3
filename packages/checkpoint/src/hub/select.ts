import { CheckpointError, printable } from "../error.ts";
import { ggufModels, meantModels } from "../gguf/file-names.ts";
import type { RepoFile } from "./repo.ts";

/** What is wanted of a repository. */
export interface Selection {
  /** "model": weights in one form, config and tokenizer. "config": config.json alone, enough for planning. */
  readonly want?: "model" | "config" | "tokenizer";
  /** These files and no others. */
  readonly files?: readonly string[];
  /** Of several models in GGUF the one in this file, in all its parts, or of this quantisation: "Q4_K_M". */
  readonly gguf?: string;
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

/** Whether a file is one of those around the weights. */
export function isSmall(path: string): boolean {
  return SIDE_FILE.test(path);
}

interface Form {
  readonly weights: RegExp;
  readonly index?: RegExp;
}

const SAFETENSORS_INDEX = /^[^/]+\.safetensors\.index\.json$/;

/** Split models often have a folder for each quantisation. */
const GGUF: Form = { weights: /\.gguf$/ };

/** One form of weights is enough: the first of these that the repository has. */
const FORMS: readonly Form[] = [
  { weights: /^model\.safetensors$/ },
  { weights: /^model-\d{5}-of-\d{5}\.safetensors$/, index: /^model\.safetensors\.index\.json$/ },
  { weights: /^(?!adapter_|consolidated)[^/]+\.safetensors$/, index: SAFETENSORS_INDEX },
  { weights: /^pytorch_model\.bin$/ },
  { weights: /^pytorch_model[-_]\d{5}-of-\d{5}\.bin$/, index: /^pytorch_model\.bin\.index\.json$/ },
  GGUF,
  { weights: /^onnx\/[^/]+\.onnx(?:_data)?(?:_\d+)?$/ },
];

/** The files of a repository that are needed: no second form of the weights, nothing of other frameworks. */
export function selectFiles(repo: string, there: readonly RepoFile[], selection: Selection = {}): readonly RepoFile[] {
  const { files, gguf, want = "model", ignorePatterns = [] } = selection;
  const ignored = ignorePatterns.map(patternOf);
  const all = there.filter(({ path }) => !ignored.some((pattern) => pattern.test(path)));
  if (files) return files.map((path) => named(repo, all, path));
  const side = all.filter(({ path }) => isSmall(path));
  if (gguf !== undefined) return [...side, ...oneGguf(repo, all, gguf)]; // a GGUF file is config and tokenizer, too
  if (want === "config") return [named(repo, all, "config.json")];
  if (want === "tokenizer") return side;
  const form = FORMS.find(({ weights }) => all.some(({ path }) => weights.test(path)));
  if (!form) throw new CheckpointError("hub-not-found", `${repo} holds no weights in a form that can be read`);
  if (form === GGUF) return [...side, ...oneGguf(repo, all)];
  return [...side, ...all.filter(({ path }) => form.weights.test(path) || form.index?.test(path))];
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

/** The files of one model: a repository often holds one in twenty quantisations. */
function oneGguf(repo: string, all: readonly RepoFile[], wanted?: string): readonly RepoFile[] {
  const models = ggufModels(all.map(({ path }) => path));
  const found = wanted === undefined ? models : meantModels(models, wanted);
  const [model] = found;
  if (model && found.length === 1) return all.filter(({ path }) => model.files.includes(path));
  const [from, said] =
    found.length > 0
      ? [
          found,
          `holds ${found.length} models in GGUF${wanted === undefined ? "" : ` that "${printable(wanted)}" may mean`}`,
        ]
      : [models, `holds no GGUF file that "${printable(wanted ?? "")}" may mean`];
  if (from.length === 0) throw new CheckpointError("hub-not-found", `${repo} holds no GGUF files`);
  const names = from.map(({ files }) => files[0]!);
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  throw new CheckpointError(
    "hub-not-found",
    `${repo} ${said}; name one, as in ${repo}/${names[0]}: ${names.slice(0, MAX_NAMED).join(", ")}${more}`,
  );
}

/** As many as a line can bear. */
const MAX_NAMED = 30;

function named(repo: string, all: readonly RepoFile[], path: string): RepoFile {
  const file = all.find((candidate) => candidate.path === path);
  if (!file) throw new CheckpointError("hub-not-found", `${repo} has no file ${path}`);
  return file;
}
