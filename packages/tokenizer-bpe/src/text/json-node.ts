import { invalid, printable } from "../error.ts";

/** A part of a tokenizer's pipeline as the file has it. */
export type JsonNode = Readonly<Record<string, unknown>>;

export function isNode(value: unknown): value is JsonNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object, or the error that says what should have been one. */
export function nodeOf(value: unknown, what: string): JsonNode {
  if (!isNode(value)) throw invalid(`${what} is not an object`);
  return value;
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${what} is not a list`);
  return value;
}

export function stringOf(node: JsonNode, key: string, fallback?: string): string {
  const value = node[key] ?? fallback;
  if (typeof value !== "string") throw invalid(`${nameOf(node)} has no text "${key}"`);
  return value;
}

export function booleanOf(node: JsonNode, key: string, fallback: boolean): boolean {
  const value = node[key] ?? fallback;
  if (typeof value !== "boolean") throw invalid(`${nameOf(node)}'s "${key}" is neither true nor false`);
  return value;
}

export function integerOf(node: JsonNode, key: string, fallback?: number): number {
  const value = node[key] ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0x7fffffff)
    throw invalid(`${nameOf(node)}'s "${key}" is not a whole number from 0 on`);
  return value;
}

function nameOf(node: JsonNode): string {
  return typeof node.type === "string" ? printable(node.type) : "a part without a type";
}
