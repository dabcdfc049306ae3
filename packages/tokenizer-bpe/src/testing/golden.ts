import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { goldenRoot } from "@llm/fixtures";
import type { TokenizerFiles } from "../files.ts";

export interface GoldenCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly ids_special?: readonly number[];
  readonly ids_bos?: readonly number[];
  readonly decoded: string;
  readonly decoded_skip?: string;
  readonly stream?: readonly (string | null | { readonly error: string })[];
}

export interface GoldenTokenizer {
  readonly name: string;
  readonly vocab_size: number;
  readonly cases: readonly GoldenCase[];
  readonly pat_str?: string;
  readonly special_tokens?: Readonly<Record<string, number>>;
}

const root = `${goldenRoot}/tokenizers`;

/** The golden tokenizers that have a certain file. */
export function goldenNames(file: string): string[] {
  return readdirSync(root).filter(
    (name) => existsSync(`${root}/${name}/${file}`) || existsSync(`${root}/${name}/${file}.gz`),
  );
}

/** A golden tokenizer's files, unpacked; `only` leaves some out. */
export function goldenFiles(name: string, only: (file: string) => boolean = () => true): TokenizerFiles {
  const files: Record<string, Uint8Array> = {};
  for (const file of readdirSync(`${root}/${name}`)) {
    const plain = file.replace(/\.gz$/, "");
    if (plain.startsWith("golden") || !only(plain)) continue;
    const bytes = readFileSync(`${root}/${name}/${file}`);
    files[plain] = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  }
  return files;
}

export function readGolden(name: string, file: "golden.json" | "golden.spm.json" = "golden.json"): GoldenTokenizer {
  return JSON.parse(gunzipSync(readFileSync(`${root}/${name}/${file}.gz`)).toString());
}
