import { ToolchainError } from "./error.ts";

/** Blocks [from, to] of a model, counted from 0. */
export interface LayerRange {
  readonly from: number;
  readonly to: number;
}

/** Reads `A-B` or `A`; `count` is how many blocks there are. */
export function parseLayers(text: string, count: number): LayerRange {
  const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(text);
  if (!match) throw new ToolchainError("option-invalid", `layers are said as A-B or A, counted from 0, not "${text}"`);
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (from > to || to >= count)
    throw new ToolchainError("option-invalid", `layers ${text} don't exist: the model has 0-${count - 1}`);
  return { from, to };
}
