import fc from "fast-check";

const words =
  "def return self hello world it's I'LL don't naïve Ünïcödé 日本語 텍스트 العربية हिन्दी 🙂 👩‍👩‍👧 ﬁ ① Å".split(" ");
const tags = ["<|endoftext|>", "<s>", "</s>", "<unk>", "<|im_start|>", "<fim_prefix>", "<0x0A>", "▁", "Ġ", "[CLS]"];
const spaces = [" ", "  ", "    ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u0085", "\u200b", "\ufeff"];

/** Well-formed text of every kind: code, prose, scripts, control tokens, white space, and any character at all. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom(...tags),
      fc.constantFrom(...spaces),
      fc.constantFrom(..."0123456789.,;:!?'\"()[]{}<>=+-*/\\_|@#$%^&`~"),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join("").toWellFormed());
