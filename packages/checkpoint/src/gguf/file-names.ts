import { basename } from "node:path";

const PART = /-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$/;

/** Vision parts, and what quantisers measured: GGUF files that are no models. */
const NO_MODEL = /(?:^|[-_.])mmproj|^imatrix|[-_.]imatrix\.gguf$/i;

/** One model in GGUF: a file, or the parts of one in order. */
export interface GgufFiles {
  /** Without `.gguf` and without the part's number. */
  readonly stem: string;
  readonly files: readonly string[];
}

/** The models among files of any kind. */
export function ggufModels(paths: readonly string[]): readonly GgufFiles[] {
  const models = new Map<string, string[]>();
  for (const path of [...paths].sort()) {
    if (!path.endsWith(".gguf") || NO_MODEL.test(basename(path))) continue;
    const stem = path.replace(PART, "").replace(/\.gguf$/, "");
    models.set(stem, [...(models.get(stem) ?? []), path]);
  }
  return [...models].map(([stem, files]) => ({ stem, files }));
}

/** Those that a path means, of a part or of the whole, or the name of a quantisation, which is a word of the path: `Q4_K_M`. */
export function meantModels(models: readonly GgufFiles[], what: string): readonly GgufFiles[] {
  if (what.endsWith(".gguf"))
    return models.filter(({ stem, files }) => files.includes(what) || stem === what.slice(0, -".gguf".length));
  // Q4_K is not a word of Q4_K_M.
  const word = new RegExp(`(?:^|[-._/])${what.replace(/[^\w-]/g, "\\$&")}(?:$|[-./])`, "i");
  return models.filter(({ stem }) => word.test(stem));
}

/** All parts of the model that `path` is of: `name-00002-of-00003.gguf` is one of three. */
export function partsOf(path: string): { readonly count: number; at(index: number): string } {
  const match = PART.exec(path);
  if (!match) return { count: 1, at: () => path };
  const stem = path.slice(0, match.index);
  const { count } = match.groups!;
  return { count: Number(count), at: (index) => `${stem}-${String(index + 1).padStart(5, "0")}-of-${count}.gguf` };
}
