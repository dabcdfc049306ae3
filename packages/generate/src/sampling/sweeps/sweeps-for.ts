import { JavaScriptSweeps } from "./in-javascript.ts";
import { WebAssemblySweeps } from "./in-webassembly.ts";
import { BLOCK, type Sweeps } from "./sweeps.ts";

/** A memory of its own is too much for a few tokens. */
const MANY_BLOCKS = 4;

/** Sweeps for so many tokens, by whatever runs here: they give the same bits. */
export function sweepsFor(vocab: number): Sweeps {
  const blocks = Math.max(1, Math.ceil(vocab / BLOCK));
  if (blocks < MANY_BLOCKS) return new JavaScriptSweeps(blocks);
  try {
    return new WebAssemblySweeps(blocks);
  } catch {
    return new JavaScriptSweeps(blocks); // slower by some times, and no worse
  }
}
