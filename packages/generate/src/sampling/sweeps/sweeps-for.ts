import { JavaScriptSweeps } from "./in-javascript.ts";
import { WebAssemblySweeps } from "./in-webassembly.ts";
import { BLOCK, type Sweeps } from "./sweeps.ts";

/** Sweeps for so many tokens, by whatever runs here: all give the same bits. */
export function sweepsFor(vocab: number): Sweeps {
  const blocks = Math.ceil(vocab / BLOCK);
  if (blocks === 1) return new JavaScriptSweeps(blocks); // a memory of its own is too much for so few
  try {
    return new WebAssemblySweeps(blocks);
  } catch {
    return new JavaScriptSweeps(blocks); // some times slower, that's all
  }
}
