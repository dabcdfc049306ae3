import { expect, test } from "vitest";
import { selectFiles } from "./select.ts";

const side = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
  "merges.txt",
];
const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"];
const bins = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"];
const others = [
  "README.md",
  ".gitattributes",
  "tf_model.h5",
  "flax_model.msgpack",
  "rust_model.ot",
  "training_args.bin",
  "original/consolidated.00.pth",
  "coreml/model.mlpackage/x",
  "trainer_state.json",
  "eval_results.json",
  "requirements.txt",
  "flax_model.msgpack.index.json",
];

const select = (names: string[], selection = {}) =>
  selectFiles(
    "org/x",
    names.map((path) => ({ path, size: 1, etag: undefined })),
    selection,
  ).map(({ path }) => path);

test.each<[string, string[], string[]]>([
  ["one safetensors file", ["model.safetensors", ...bins], ["model.safetensors"]],
  ["shards", [...shards, ...bins, "onnx/model.onnx"], shards],
  ["one file rather than shards of the same", ["model.safetensors", ...shards], ["model.safetensors"]],
  ["PyTorch where there is nothing else", bins, bins],
  [
    "shards with an underscore (BLOOM's)",
    ["pytorch_model_00001-of-00002.bin", "pytorch_model_00002-of-00002.bin", "pytorch_model.bin.index.json"],
    ["pytorch_model_00001-of-00002.bin", "pytorch_model_00002-of-00002.bin", "pytorch_model.bin.index.json"],
  ],
  [
    "a quantiser's shards with their index",
    ["gptq-00001-of-00002.safetensors", "gptq-00002-of-00002.safetensors", "gptq.safetensors.index.json"],
    ["gptq-00001-of-00002.safetensors", "gptq-00002-of-00002.safetensors", "gptq.safetensors.index.json"],
  ],
  [
    "a quantiser's own name",
    ["gptq_model-4bit-128g.safetensors", "adapter_model.safetensors"],
    ["gptq_model-4bit-128g.safetensors"],
  ],
  ["one GGUF file", ["x.Q4_K_M.gguf"], ["x.Q4_K_M.gguf"]],
  [
    "GGUF in parts",
    ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"],
    ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"],
  ],
  [
    "ONNX where there is nothing else",
    ["onnx/model.onnx", "onnx/model.onnx_data"],
    ["onnx/model.onnx", "onnx/model.onnx_data"],
  ],
])("%s", (_, weights, expected) => {
  expect(select([...others, ...side, ...weights]).sort()).toEqual([...side, ...expected].sort());
});

test("templates beside the tokenizer come along", () => {
  const names = [
    "model.safetensors",
    "chat_template.jinja",
    "additional_chat_templates/tools.jinja",
    "tokenizer.model",
  ];
  expect(select(names).sort()).toEqual(names.sort());
});

test("what is to be ignored isn't there, by Python's patterns", () => {
  const both = [...side, "model.safetensors", ...bins];
  const ignoring = (...ignorePatterns: string[]) => select(both, { ignorePatterns }).sort();
  expect(ignoring("*.safetensors")).toEqual([...side, ...bins].sort());
  expect(ignoring("*.bin*", "merges.t?t", "[gv]o*.json", "generation*")).toEqual(
    ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"].sort(),
  );
  expect(ignoring("modelXsafetensors", "(", "[", "a+b", "[z-a]*")).toEqual([...side, "model.safetensors"].sort());
  expect(select(["onnx/model.onnx", "x.gguf"], { ignorePatterns: ["*.gguf"] })).toEqual(["onnx/model.onnx"]);
  expect(() => select(both, { ignorePatterns: ["*.safetensors", "*.bin", "*.bin.index.json"] })).toThrow(/no weights/);
  expect(() => select(side, { files: ["vocab.json"], ignorePatterns: ["v*"] })).toThrow(/no file vocab\.json/);
});

const quantisations = [
  "x-Q4_K.gguf",
  "x-Q4_K_M.gguf",
  "mmproj-x-Q8_0.gguf",
  "x.mmproj-Q8_0.gguf",
  "x-imatrix.gguf",
  "Q8_0/x-Q8_0-00001-of-00002.gguf",
  "Q8_0/x-Q8_0-00002-of-00002.gguf",
];
const split = quantisations.slice(-2);

test("several GGUF models are a question, which names the answers", () => {
  expect(() => select([...side, ...quantisations])).toThrow(
    "org/x holds 3 models in GGUF; name one, as in org/x/Q8_0/x-Q8_0-00001-of-00002.gguf: " +
      "Q8_0/x-Q8_0-00001-of-00002.gguf, x-Q4_K.gguf, x-Q4_K_M.gguf",
  );
  expect(select(quantisations, { files: ["x-Q4_K.gguf"] })).toEqual(["x-Q4_K.gguf"]);
});

test.each([
  ["x-Q4_K.gguf", ["x-Q4_K.gguf"]],
  ["Q4_K", ["x-Q4_K.gguf"]],
  ["q4_k_m", ["x-Q4_K_M.gguf"]],
  ["Q8_0", split],
  ["Q8_0/x-Q8_0-00002-of-00002.gguf", split],
  ["Q8_0/x-Q8_0.gguf", split],
])("%s means one of them, in all its parts", (gguf, expected) => {
  expect(select([...shards, ...quantisations], { gguf })).toEqual(expected);
  expect(select([...side, ...quantisations], { gguf, want: "config" })).toEqual([...side, ...expected]);
});

test.each([
  ["Q5_0", /no GGUF file that "Q5_0" may mean; name one, as in .*: Q8_0.*, x-Q4_K\.gguf, x-Q4_K_M\.gguf/],
  ["x", /holds 3 models in GGUF that "x" may mean/],
  ["(.*", /no GGUF file that "\(\.\*" may mean/],
])("%s does not", (gguf, message) => {
  expect(() => select(quantisations, { gguf })).toThrow(message);
  expect(() => select(side, { gguf })).toThrow("org/x holds no GGUF files");
});

test("one model in a folder of its own is what is wanted", () => {
  expect(select(split)).toEqual(split);
});

test("no weights, no config, no such file", () => {
  expect(() => select(side)).toThrow(/no weights/);
  expect(() => select(["model.safetensors"], { want: "config" })).toThrow(/no file config\.json/);
  expect(() => select(side, { files: ["gone"] })).toThrow(/no file gone/);
  expect(select([...side, "model.safetensors"], { want: "tokenizer" })).toEqual(side);
});
