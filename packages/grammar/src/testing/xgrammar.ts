import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname } from "node:path";

type XGrammar = typeof import("@mlc-ai/web-xgrammar");

/** xgrammar's build is CommonJS that its own manifest calls an ES module: neither `import` nor `require` loads it. */
function load(): XGrammar {
  const file = createRequire(import.meta.url).resolve("@mlc-ai/web-xgrammar");
  const module = new Module(file) as Module & { _compile(code: string, file: string): void };
  module.paths = [dirname(file)];
  module._compile(readFileSync(file, "utf8"), file);
  return module.exports as XGrammar;
}

export const xgrammar: XGrammar = load();

/** How byte-level vocabularies write bytes: those that print stand for themselves, the others come after U+00FF. */
const BYTE_LETTERS: readonly string[] = (() => {
  const prints = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173 && byte < 256);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : next++));
})();

/** A token's bytes as such a vocabulary writes them. */
export function byteLetters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => BYTE_LETTERS[byte]!).join("");
}
