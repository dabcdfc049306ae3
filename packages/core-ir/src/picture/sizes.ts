import { DTYPES } from "@llm/tensor";
import { type Dim, dimMul, dimProduct } from "../dim.ts";
import type { Type } from "../graph.ts";

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** 1536 → "1.5 KB" */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const scaled = bytes / 1024 ** power;
  return `${scaled >= 100 || Number.isInteger(scaled) ? Math.round(scaled) : scaled.toPrecision(2)} ${UNITS[power]}`;
}

/** What a value takes: "24 KB", or "24 KB × tokens" where a size is open. */
export function sizeText({ dtype, shape }: Type): string {
  const fixed = shape.reduce<number>((n, d) => (typeof d === "number" ? n * d : n), DTYPES[dtype].bytes);
  const open = dimProduct(shape.filter((d): d is string => typeof d === "string") as Dim[]);
  return open === 1 ? bytesText(fixed) : `${bytesText(fixed)} × ${String(open).replaceAll("*", " × ")}`;
}

/** Bytes of a type all of whose sizes are known; 0 when one is open. */
export function knownBytes({ dtype, shape }: Type): number {
  const bytes = dimMul(dimProduct(shape), DTYPES[dtype].bytes);
  return typeof bytes === "number" ? bytes : 0;
}

/** 1_234_567 → "1.2 M" */
export function countText(count: number): string {
  for (const [size, unit] of [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ] as const)
    if (count >= size) return `${(count / size).toPrecision(3)} ${unit}`;
  return String(count);
}
