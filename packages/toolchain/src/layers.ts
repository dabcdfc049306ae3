import { ToolchainError } from "./error.ts";

/** Blocks [from, to] of a model, counted from 0. */
export interface LayerRange {
  readonly from: number;
  readonly to: number;
}

/** Reads `A-B` or `A`; which of them a model has is another question. */
export function parseLayers(text: string): LayerRange {
  const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (from <= to) return { from, to };
  throw new ToolchainError("option-invalid", `layers are said as A-B or A, counted from 0, not "${text}"`);
}

/** The same, of a model with so many blocks. */
export function layersOf(text: string, count: number): LayerRange {
  const range = parseLayers(text);
  if (range.to < count) return range;
  throw new ToolchainError("option-invalid", `layers ${text} don't exist: the model has 0-${count - 1}`);
}
