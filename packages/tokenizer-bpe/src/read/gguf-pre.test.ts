import { describe, expect, it } from "vitest";
import { createTokenizerFromGguf } from "../create.ts";
import { readCutter } from "../split/from-json.ts";
import { Aligned } from "../text/aligned.ts";
import { byteToChar } from "../text/byte-alphabet.ts";
import { PRE_TOKENIZERS } from "./gguf-pre.ts";

const text = "Hi 1234567 中文a 가나 don't\n\nx(); \n//Éé1000";

// The pieces are those of the Rust library for the same `pre_tokenizer`, with a bar between them.
it.each([
  ["kimi-k2", "Hi| |123|456|7| |中文|a| 가나| don't|\n\n|x|();| \n|//|Éé|100|0"],
  ["tiny_aya", "Hi| |1|234|567| 中文a| 가나| don't|\n\n|x|();| \n|//|Éé|1|000"],
  ["superbpe", "Hi |1|234|567| 中文a 가나 don't\n\nx(); \n//Éé|1|000"],
  ["seed-coder", "Hi| |1|2|3|4|5|6|7| 中文a| 가나| don|'t|\n\n|x|();| \n|//|Éé|1|0|0|0"],
  ["minicpm5", "Hi| |123|456|7| 中文a| 가나| don|'t|\n\n|x|();| \n|//|Éé|100|0"],
  ["youtu", "Hi| |1|2|3|4|5|6|7| |中文|a| |가나| don't|\n\n|x|();| \n|//|Éé|1|0|0|0"],
  ["deepseek-llm", "Hi| |1|2|3|4|5|6|7| |中文|a| |가나| don|'|t|\n|\n|x|();| |\n|//|Éé|1|0|0|0"],
  ["deepseek-coder", "Hi| |1|2|3|4|5|6|7| |中文|a| |가나| don|'|t|\n|\n|x|();| |\n|//|Éé|1|0|0|0"],
  ["deepseek-v3", "Hi| |123|456|7| |中文|a| 가나| don|'t|\n\n|x|();| \n|//|Éé|100|0"],
])("cuts as %s", (name, pieces) => {
  const { stages } = readCutter(PRE_TOKENIZERS[name]!.cut, { byteLevelModel: true, scanners: false });
  const cut = stages.reduce((parts, stage) => parts.flatMap((one) => stage(one)), [Aligned.of(text)]);
  expect(cut.flatMap((one) => (one.text === "" ? [] : [one.text])).join("|")).toBe(pieces);
});

it("knows Greek letters with several marks for letters with case, as DeepSeek LLM does", () => {
  const greek = "\u1f5f\u1f7d\u1fbe";
  const { stages } = readCutter(PRE_TOKENIZERS["deepseek-llm"]!.cut, { byteLevelModel: true, scanners: false });
  const cut = stages.reduce((parts, stage) => parts.flatMap((one) => stage(one)), [Aligned.of(`1${greek}1`)]);
  expect(cut.map((one) => one.text).filter((part) => part !== "")).toEqual(["1", greek, "1"]);
});

describe("a file that doesn't name its way to cut", () => {
  /** Bytes, and digits two by two: how many pieces twelve digits are, says who cut them. */
  const tokens = [...byteToChar, "11", "1111", "111111", "11111111", "111"];
  const digits = (architecture: string, ...controls: string[]) => {
    const all = [...tokens, ...controls];
    const tokenizer = createTokenizerFromGguf({
      "general.architecture": architecture,
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.tokens": all,
      "tokenizer.ggml.token_type": all.map((_, id) => (id < tokens.length ? 1 : 3)),
      "tokenizer.ggml.merges": ["1 1", "11 11", "1111 11", "1111 1111", "11 1"],
      "tokenizer.ggml.bos_token_id": tokens.length,
    });
    return [...tokenizer.encode("1".repeat(8))].map((id) => all[id]).join(" ");
  };

  it.each([
    ["gpt2", [], "11111111"],
    ["starcoder", [], "1 1 1 1 1 1 1 1"],
    ["falcon", [], "111 111 11"],
    ["command-r", [], "1 1 1 1 1 1 1 1"],
    ["llama", ["<|begin_of_text|>"], "<|begin_of_text|> 111 111 11"],
    ["llama", ["<｜begin▁of▁sentence｜>"], "1 1 1 1 1 1 1 1"],
    ["llama", ["<s>"], "11111111"],
  ])("is cut as its architecture's models are: %s %j", (architecture, controls, expected) => {
    expect(digits(architecture, ...(controls.length > 0 ? controls : ["<s>"]))).toBe(expected);
  });
});
