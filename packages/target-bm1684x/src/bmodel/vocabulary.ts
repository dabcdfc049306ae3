import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bmodel, BmodelNet } from "./bmodel.ts";

/** A vocabulary file of a language model is some megabytes long. */
const MOST_BYTES = 64 << 20;

/** How many tokens a bmodel's model knows: by its logits, else by the tokenizer's file beside it; 0 when neither says. */
export async function vocabularyOf(model: Bmodel, folder: string): Promise<number> {
  return logitsOf(model.nets) ?? (await fromFile(join(folder, "vocab.json"))) ?? 0;
}

/** Of one head all; where each of several chips has a part, those that the best token is chosen of. */
function logitsOf(nets: readonly BmodelNet[]): number | undefined {
  const first = (net: string) => nets.find(({ name }) => name === net)?.stages[0];
  const logits = first("lm_head")?.outputs[0] ?? first("greedy_head")?.inputs[0];
  const size = logits?.shape.reduce((product, axis) => product * axis, 1) ?? 0;
  return size > 1 ? size : undefined;
}

/** The highest id decides: some vocabularies have gaps. */
async function fromFile(path: string): Promise<number | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MOST_BYTES) return undefined;
    const ids = Object.values(JSON.parse(bytes.toString("utf8")) as Record<string, unknown>);
    const known = ids.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0);
    return known.length > 0 ? known.reduce((a, b) => Math.max(a, b)) + 1 : undefined;
  } catch {
    return undefined; // no such file, or none of a tokenizer's
  }
}
