import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tokenizer } from "@llm/tokenizer-bpe";
import { expect, it } from "vitest";
import { scratch } from "../testing/scratch.ts";
import { tokensOf } from "./documents.ts";

const { folder } = scratch();

/** Notes what texts it is given. */
function listener(): { readonly tokenizer: Tokenizer; readonly heard: string[] } {
  const heard: string[] = [];
  const hear = (text: string) => {
    heard.push(text);
    return Int32Array.of(heard.length);
  };
  const tokenizer = { encode: hear, encodeContinuation: hear, added: { before: [], after: [] } };
  return { tokenizer: tokenizer as unknown as Tokenizer, heard };
}

async function piecesOf(text: string): Promise<readonly string[]> {
  const file = join(folder, "text.txt");
  writeFileSync(file, text);
  const { tokenizer, heard } = listener();
  for await (const _ of tokensOf(file, tokenizer));
  return heard;
}

it.each([0, 1])("cuts a long text without blanks between characters, also those of two halves, %s in", async (odd) => {
  const text = `${"x".repeat(odd)}${"😀".repeat(50_000)}`;
  const pieces = await piecesOf(text);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
  expect(pieces.join("")).toBe(text);
});

it("cuts where a line begins, else at a blank", async () => {
  const lines = "a line\n".repeat(10_000);
  for (const piece of (await piecesOf(lines)).slice(0, -1)) expect(piece.endsWith("\n")).toBe(true);
  const words = "word 😀 ".repeat(10_000);
  for (const piece of (await piecesOf(words)).slice(1)) expect(piece.startsWith(" ")).toBe(true);
});
