import { UsageError } from "../exit.ts";

/** `--logit-bias` as the library has it: ID=BIAS, as often as it was given, or a JSON object of them; of one token the last counts. */
export function logitBiasOf(given: readonly string[]): Readonly<Record<number, number>> {
  return Object.fromEntries(given.flatMap((text) => (text.trim().startsWith("{") ? ofJson(text) : [ofPair(text)])));
}

function ofPair(text: string): readonly [number, number] {
  const [id = "", bias = "", ...more] = text.split("=");
  if (more.length > 0 || bias.trim() === "") throw wrong(text);
  return checked(id, /^-inf(inity)?$/i.test(bias.trim()) ? Number.NEGATIVE_INFINITY : Number(bias), text);
}

function ofJson(text: string): readonly (readonly [number, number])[] {
  let biases: unknown;
  try {
    biases = JSON.parse(text);
  } catch {
    throw wrong(text);
  }
  return Object.entries(biases as object).map(([id, bias]) => checked(id, bias, text));
}

function checked(id: string, bias: unknown, text: string): readonly [number, number] {
  if (!/^\s*\d+\s*$/.test(id) || typeof bias !== "number" || !(bias < Number.POSITIVE_INFINITY)) throw wrong(text);
  return [Number(id), bias];
}

function wrong(text: string): UsageError {
  return new UsageError(
    `--logit-bias takes a token's id and what its logit gains, 42=-5 (or 42=-inf) or {"42": -5}; "${text}" is neither`,
  );
}
