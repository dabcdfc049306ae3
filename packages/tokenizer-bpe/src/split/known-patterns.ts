import { GPT2_PATTERN, gpt2Scanner } from "./gpt2-scanner.ts";
import { gpt4Scanner } from "./gpt4-scanner.ts";
import type { Scanner } from "./scanner.ts";

const folded = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const spelled = "('s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL|'d|'D)";
const body = (digits: string) =>
  `|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** The patterns that a scanner knows, as published tokenizers spell them; any other runs as a regular expression. */
const scanners: ReadonlyMap<string, () => Scanner> = new Map([
  [GPT2_PATTERN, () => gpt2Scanner],
  [GPT2_PATTERN.replace("'s|'t|'re|'ve|'m|'ll|'d", "'(?:[sdmt]|ll|ve|re)"), () => gpt2Scanner],
  [folded + body("\\p{N}{1,3}"), () => gpt4Scanner({ digits: 3, folding: true })],
  [folded + body("\\p{N}"), () => gpt4Scanner({ digits: 1, folding: true })],
  [spelled + body("\\p{N}{1,3}"), () => gpt4Scanner({ digits: 3, folding: false })],
  [spelled.replace("(", "(?:") + body("\\p{N}{1,3}"), () => gpt4Scanner({ digits: 3, folding: false })],
]);

/** The scanner that cuts like a pattern, or undefined. */
export function knownScanner(pattern: string): Scanner | undefined {
  return scanners.get(pattern)?.();
}

/** For tests: every pattern a scanner stands for. */
export const knownPatterns: readonly string[] = [...scanners.keys()];
