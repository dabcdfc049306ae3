import { describe, expect, it } from "vitest";
import { createTokenizer } from "./create.ts";
import { TokenizerError } from "./error.ts";

/** Small tokenizers for the corners; the numbers are what the Rust library (tokenizers 0.23.3) says. */
function tokenizerOf(model: object, parts: object = {}) {
  const file = {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...parts,
  };
  return createTokenizer({ "tokenizer.json": new TextEncoder().encode(JSON.stringify({ ...file, model })) });
}

const bpe = (tokens: readonly string[], merges: readonly (readonly [string, string])[] = []) => ({
  type: "BPE",
  vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
  merges,
});

const added = (id: number, content: string, flags: object = {}) => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false },
  ...flags,
});

describe("added tokens", () => {
  it("have the next free id, or the model's, whatever the file writes", () => {
    const tokenizer = tokenizerOf(bpe(["a", "b"]), {
      added_tokens: [added(9, "<x>"), added(3, "b"), added(9, "<y>")],
    });
    expect([...tokenizer.encode("<y>ab<x>")]).toEqual([3, 0, 1, 2]);
  });

  it("stand alone only beside characters that are no letters, of two units too", () => {
    const tokenizer = tokenizerOf(bpe(["𠀀", "a", " "]), { added_tokens: [added(3, "  ", { single_word: true })] });
    expect([...tokenizer.encode("𠀀  ")]).toEqual([0, 2, 2]);
    expect([...tokenizer.encode("a  ")]).toEqual([1, 2, 2]);
    expect([...tokenizer.encode("  ")]).toEqual([3]);
  });

  it("count again inside the space that one before them took", () => {
    const tokenizer = tokenizerOf(bpe([" ", "a"]), {
      added_tokens: [added(2, "<x>", { rstrip: true }), added(3, "  ")],
    });
    const { ids, offsets } = tokenizer.encodeWithOffsets("<x>   a");
    expect([...ids]).toEqual([2, 3, 0, 1]);
    expect([...offsets]).toEqual([0, 6, 3, 5, 5, 6, 6, 7]);
    expect([...tokenizer.encode("<x>   a")]).toEqual([2, 3, 0, 1]);
  });

  it("are decoded as the normalisation writes them", () => {
    const tokenizer = tokenizerOf(bpe(["a"]), {
      added_tokens: [added(1, "HeLLo", { normalized: true })],
      normalizer: { type: "Lowercase" },
    });
    expect([...tokenizer.encode("hellO")]).toEqual([1]);
    expect(tokenizer.decode([1])).toBe("hello");
  });
});

describe("normalizers", () => {
  const vocab = bpe(["ह", "ि", "न", "्", "é", "e"]);

  it("StripAccents takes out every mark, BERT's only those without room of their own", () => {
    const strip = tokenizerOf(vocab, { normalizer: { type: "StripAccents" } });
    expect([...strip.encode("हिन्é")]).toEqual([0, 2, 4]);
    const bert = tokenizerOf(vocab, {
      normalizer: { type: "BertNormalizer", strip_accents: true, lowercase: false },
    });
    expect([...bert.encode("हिन्é")]).toEqual([0, 1, 2, 5]);
  });

  it("Replace finds nothing right behind a match, though its pattern may match nothing", () => {
    const normalizer = { type: "Replace", pattern: { Regex: "x*" }, content: "-" };
    expect([...tokenizerOf(bpe(["a", "-", "x"]), { normalizer }).encode("axxa")]).toEqual([1, 0, 1, 0, 1]);
  });

  it("leave a text whose beginning they took away without Metaspace's mark", () => {
    const tokenizer = tokenizerOf(bpe(["▁", "a"]), {
      normalizer: { type: "Strip", strip_left: true, strip_right: false },
      pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
    });
    expect([...tokenizer.encode(" a")]).toEqual([1]);
    expect([...tokenizer.encode("a")]).toEqual([0, 1]);
    expect([...tokenizer.encodeWithOffsets(" a").ids]).toEqual([1]);
  });
});

it("Whitespace counts joiners as parts of words", () => {
  const tokenizer = tokenizerOf(bpe(["👩", "\u200d", "👩\u200d"], [["👩", "\u200d"]]), {
    pre_tokenizer: { type: "Whitespace" },
  });
  expect([...tokenizer.encode("👩\u200d👩")]).toEqual([0, 1, 0]);
});

it("patterns without case know letters that only fold to theirs", () => {
  const tokenizer = tokenizerOf(bpe(["k", "ſ", "s", "K"]), {
    pre_tokenizer: { type: "Split", pattern: { Regex: "(?i)ſ" }, behavior: "Removed", invert: false },
  });
  expect([...tokenizer.encode("ksſK")]).toEqual([0, 3]);
});

const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);

it("falls back to the bytes of a long word with all its prefixes", () => {
  const model = { ...bpe(byteTokens), byte_fallback: true, continuing_subword_prefix: "##" };
  const bytes = new TextEncoder().encode(["é", ...Array(99).fill("##é")].join(""));
  expect([...tokenizerOf(model).encode("é".repeat(100))]).toEqual([...bytes]);
});

it("reads patterns in which Oniguruma counts ¼ as a part of a word, outside a class only", () => {
  const cut = (pattern: string) =>
    tokenizerOf(bpe(["a", "¼", "·"]), {
      pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Removed", invert: true },
    }).encode("a¼·");
  expect([...cut("\\w")]).toEqual([0, 1]);
  expect([...cut("[\\w]")]).toEqual([0]);
  expect([...cut("\\W")]).toEqual([2]);
  expect([...cut("\\p{Word}")]).toEqual([0, 1]);
  expect([...cut("\\p{Punct}")]).toEqual([2]);
});

it("cuts where a pattern matches nothing, but never inside a character", () => {
  const cut = (pattern: string, behavior: string, text: string) =>
    tokenizerOf(
      { ...bpe(["b", "c", "bc", "𝟘"], [["b", "c"]]), unk_token: "c" },
      {
        pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior, invert: false },
      },
    ).encode(text);
  expect([...cut("a|", "Contiguous", "bcbc")]).toEqual([0, 1, 0, 1]);
  expect([...cut("(?=b)", "Contiguous", "bcbc")]).toEqual([2, 2]);
  expect([...cut("\\z", "Isolated", "b𝟘𝟘c")]).toEqual([0, 3, 3, 1]);
});

describe("Unigram", () => {
  const bytes = byteTokens.map((token) => [token, -9]);
  const tokenizer = tokenizerOf({
    type: "Unigram",
    unk_id: 0,
    byte_fallback: true,
    vocab: [["<unk>", 0], ["a", -1], ...bytes],
  });

  it("takes the unknown token written out for that token, and next to unknown characters for one of them", () => {
    expect([...tokenizer.encode("a<unk>a")]).toEqual([1, 0, 1]);
    const text = new TextEncoder().encode("é<unk>");
    expect([...tokenizer.encode("é<unk>")]).toEqual(Array.from(text, (byte) => byte + 2));
  });

  it("gives all bytes of unknown characters in a row the same place", () => {
    expect([...tokenizer.encodeWithOffsets("aéb").offsets]).toEqual([0, 1, 1, 3, 1, 3, 1, 3]);
  });
});

describe("trimmed offsets", () => {
  const vocab = bpe(
    ["Ġ", "Ċ", "a", "ĊĊ", "Ġa", "ĠĠ"],
    [
      ["Ċ", "Ċ"],
      ["Ġ", "a"],
      ["Ġ", "Ġ"],
    ],
  );
  const byteLevel = (prefix: boolean) => ({
    type: "ByteLevel",
    add_prefix_space: prefix,
    trim_offsets: true,
    use_regex: true,
  });
  const offsets = (prefix: boolean, text: string) => [
    ...tokenizerOf(vocab, {
      added_tokens: [added(6, "<x>", { rstrip: true })],
      pre_tokenizer: byteLevel(prefix),
      post_processor: byteLevel(prefix),
    }).encodeWithOffsets(text).offsets,
  ];

  it("leave out spaces, but not line ends, and what added tokens took", () => {
    expect(offsets(false, "a a\n\n")).toEqual([0, 1, 2, 3, 3, 5]);
    expect(offsets(false, "   a")).toEqual([2, 2, 3, 4]);
    expect(offsets(false, "<x> a")).toEqual([0, 3, 4, 5]);
  });

  it("keep a space that may be the one put before the first word", () => {
    expect(offsets(true, " a")).toEqual([0, 2]);
    expect(offsets(true, "a a\n\n")).toEqual([0, 1, 2, 3, 3, 5]);
    expect(offsets(true, "   a")).toEqual([2, 2, 3, 4]);
  });
});

it("refuses several post-processors that add tokens", () => {
  const bert = { type: "BertProcessing", cls: ["a", 0], sep: ["b", 1] };
  const make = () => tokenizerOf(bpe(["a", "b"]), { post_processor: { type: "Sequence", processors: [bert, bert] } });
  expect(make).toThrow(TokenizerError);
  expect(make).toThrow("several post_processors that add tokens");
});
