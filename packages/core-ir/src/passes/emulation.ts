import type { PassStep } from "../pass.ts";

/** A device's number formats, to be computed with on another one. */
export interface Emulation {
  /** What weights of linears and experts are rounded to; fp32 and undefined: nothing. */
  readonly format?: string;
  /** Weights that share a scale, in formats that have a choice. */
  readonly group?: number;
  readonly symmetric?: boolean;
  /** Tensors by name that get another format, first match first. */
  readonly rules?: readonly { readonly match: string; readonly format?: string; readonly group?: number }[];
  /** What every op's result is rounded to. */
  readonly activations?: string;
}

const EXACT: readonly (string | undefined)[] = [undefined, "fp32", "f32"];

/**
 * Steps that give a canonical graph the numerics of other formats, weights and activations; they come first in a pipeline. A
 * cache's format is a parameter of `cache-form`: see `cacheFormat`.
 */
export function emulation({ format, group, symmetric, rules, activations }: Emulation): readonly PassStep[] {
  const weights = !EXACT.includes(format) || rules !== undefined;
  const params = {
    ...(EXACT.includes(format) ? {} : { format: format!, ...(group ? { group } : {}) }),
    ...(symmetric === undefined || EXACT.includes(format) ? {} : { symmetric }),
    ...(rules === undefined ? {} : { rules: rules.map((rule) => ({ ...rule })) }),
  };
  return [
    ...(weights ? [{ pass: "quantise", params }] : []),
    ...(EXACT.includes(activations) ? [] : [{ pass: "round-results", params: { format: activations! } }]),
  ];
}

/** The parameter of `cache-form` for a cache that is kept in a format; nothing for one that is exact. */
export function cacheFormat(format: string | undefined): { readonly format?: string } {
  return EXACT.includes(format) ? {} : { format: format! };
}
