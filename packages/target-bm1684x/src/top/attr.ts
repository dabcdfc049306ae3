/** Attributes as MLIR writes them. */
export const attr = {
  f64: (value: number): string => `${floatText(value)} : f64`,
  i64: (value: number): string => `${value} : i64`,
  si32: (value: number): string => `${value} : si32`,
  i64s: (values: readonly number[]): string => `[${values.join(", ")}]`,
  bool: (value: boolean): string => String(value),
  text: (value: string): string => quote(value),
} as const;

/** MLIR wants a point in every float. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} can't be an attribute`);
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}e${exponent}`;
}

/** A string with what MLIR's lexer trips over written as hex. */
export function quote(text: string): string {
  const escaped = text.replaceAll(/["\\\p{Cc}]/gu, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}
