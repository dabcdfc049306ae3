import { describe, expect, it } from "vitest";
import { createTokenizer } from "./create.ts";
import { goldenFiles, goldenNames, readGolden } from "./testing/golden.ts";

const names = goldenNames("tokenizer.json");

it("finds the golden tokenizers", () => {
  expect(names.length).toBeGreaterThanOrEqual(13);
});

describe.each(names)("%s says what the Rust library says", (name) => {
  const tokenizer = createTokenizer(goldenFiles(name));
  const golden = readGolden(name);

  it("has the same vocabulary size", () => {
    expect(tokenizer.vocabSize).toBe(golden.vocab_size);
  });

  it("encodes", () => {
    for (const { text, ids, ids_special = ids } of golden.cases) {
      expect([...tokenizer.encode(text, { addSpecialTokens: false })], text).toEqual(ids);
      expect([...tokenizer.encode(text)], text).toEqual(ids_special);
      expect([...tokenizer.encodeWithOffsets(text).ids], `${text}, with offsets`).toEqual(ids_special);
    }
  });

  it("decodes", () => {
    for (const { text, ids, ids_special = ids, decoded, decoded_skip } of golden.cases) {
      expect(tokenizer.decode(ids_special), text).toBe(decoded);
      expect(tokenizer.decode(ids_special, { skipSpecialTokens: true }), text).toBe(decoded_skip);
    }
  });

  it("streams", () => {
    for (const { text, ids, ids_special = ids, stream = [] } of golden.cases) {
      const pieces = tokenizer.stream();
      for (const [index, expected] of stream.entries()) {
        if (typeof expected === "object" && expected !== null) break;
        expect(pieces.push(ids_special[index]), `${text}, id ${index}`).toBe(expected ?? "");
      }
    }
  });
});
