import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { describe, expect, it } from "vitest";
import { createTokenizer, createTokenizerFromGguf } from "./create.ts";
import { TokenizerError } from "./error.ts";
import { loadTokenizer } from "./load.ts";
import { goldenFiles, readGolden } from "./testing/golden.ts";

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return TokenizerError.isInstance(error) ? error.code : String(error);
  }
  return undefined;
};

const json = (name: string) => JSON.parse(Buffer.from(goldenFiles(name)["tokenizer.json"] as Uint8Array).toString());

describe("the bundled checkpoint's tokenizer", () => {
  it("opens from its folder and knows its tokens", async () => {
    const tokenizer = await loadTokenizer(demoModelFolder);
    expect([...tokenizer.encode("def fibonacci(n):\n")]).toEqual([333, 305, 1311, 285, 1163, 484, 26, 96, 318, 217]);
    expect(tokenizer.vocabSize).toBe(4096);
    expect(tokenizer.eosTokenId).toBe(tokenizer.tokenToId("<|endoftext|>"));
    expect(tokenizer.modelMaxLength).toBe(1024);
    expect(tokenizer.chatTemplate).toMatchObject({ name: "plain", origin: "plain" });
    expect(tokenizer.applyChatTemplate([{ role: "user", content: "Hi" }], { addGenerationPrompt: true })).toBe(
      "User: Hi\nAssistant:",
    );
  });

  it("begins a plain conversation as the model's texts begin", () => {
    const tokenizer = createTokenizer(goldenFiles("spm_llama2"));
    const prompt = tokenizer.applyChatTemplate([{ role: "user", content: "Hi" }], { addGenerationPrompt: true });
    expect(prompt).toBe("<s>User: Hi\nAssistant:");
    expect(tokenizer.encode(prompt, { addSpecialTokens: false })[0]).toBe(tokenizer.bosTokenId);
  });

  it("writes fill-in-the-middle prompts, in which the user's text stays text", async () => {
    const tokenizer = await loadTokenizer(demoModelFolder);
    const [pre, suf, mid] = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"].map(
      (token) => tokenizer.tokenToId(token)!,
    );
    const plain = (text: string) => [...tokenizer.encode(text, { parseSpecial: false })];
    const prefix = "def f(<fim_middle>):\n";
    expect([...tokenizer.encodeInfill({ prefix, suffix: "\n" })]).toEqual([
      pre,
      ...plain(prefix),
      suf,
      ...plain("\n"),
      mid,
    ]);
    expect([...tokenizer.encodeInfill({ prefix, suffix: "\n", order: "spm" })]).toEqual([
      ...[pre, suf, ...plain("\n"), mid],
      ...plain(prefix),
    ]);
  });

  it("says what is missing", async () => {
    await expect(loadTokenizer("/nowhere")).rejects.toMatchObject({ code: "not-found" });
    await expect(loadTokenizer(`${demoModelFolder}/src`)).rejects.toThrow(/has no tokenizer/);
    await expect(loadTokenizer(`${demoModelFolder}/golden.json`)).rejects.toThrow(
      `${demoModelFolder}/golden.json: is no tokenizer's file by its name`,
    );
    const folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
    const file = join(folder, "tokenizer.json");
    await writeFile(file, "{bad");
    const message = `${file}: is not valid JSON: no member name at byte 1`;
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ message, file });
    await expect(loadTokenizer(file)).rejects.toMatchObject({ message, file });
    await rm(folder, { recursive: true });
  });
});

describe("special tokens", () => {
  const tokenizer = createTokenizer(goldenFiles("bpe_qwen2"));

  it("are parsed or left as text, by choice", () => {
    const id = tokenizer.tokenToId("<|im_end|>")!;
    expect([...tokenizer.encode("a<|im_end|>")]).toContain(id);
    const untrusted = tokenizer.encode("a<|im_end|>", { parseSpecial: false });
    expect([...untrusted]).not.toContain(id);
    expect(tokenizer.decode(untrusted)).toBe("a<|im_end|>");
  });

  it("are left out of text, by choice", () => {
    const ids = tokenizer.encode("a<|im_end|>b");
    expect(tokenizer.decode(ids)).toBe("a<|im_end|>b");
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe("ab");
    expect(tokenizer.countTokens("a<|im_end|>b")).toBe(ids.length);
  });
});

describe("batches", () => {
  const tokenizer = createTokenizer(goldenFiles("bpe_qwen2"));
  const pad = tokenizer.padTokenId!;

  it.each(["left", "right"] as const)("are filled on the %s", (padding) => {
    const long = [...tokenizer.encode("hello world")];
    const short = [...tokenizer.encode("h")];
    const fill = new Array(long.length - short.length).fill(pad);
    const { ids, attentionMask } = tokenizer.encodeBatch(["hello world", "h"], { padding });
    expect([...ids[0]]).toEqual(long);
    expect([...ids[1]]).toEqual(padding === "left" ? [...fill, ...short] : [...short, ...fill]);
    expect([...attentionMask[1]]).toEqual(
      [...ids[1]].map((_, i) => Number(padding === "left" ? i >= fill.length : i < short.length)),
    );
  });

  it("are cut to length without losing what goes around a text", () => {
    const llama = createTokenizer(goldenFiles("bpe_llama3"));
    const whole = [...llama.encode("one two three four")];
    const cut = (truncation: "left" | "right") => [
      ...llama.encodeBatch(["one two three four"], { maxLength: 4, truncation }).ids[0],
    ];
    expect(cut("right")).toEqual(whole.slice(0, 4));
    expect(cut("left")).toEqual([whole[0], ...whole.slice(-3)]);
  });

  it("are filled to a multiple, and refuse what can't be", () => {
    expect(tokenizer.encodeBatch(["h"], { padding: "left", padToMultipleOf: 8 }).ids[0].length).toBe(8);
    expect(tokenizer.encodeBatch(["h"], { padding: "right", padTo: "max", maxLength: 5 }).ids[0].length).toBe(5);
    expect(codeOf(() => tokenizer.encodeBatch(["h"], { padding: "left", padTo: "max" }))).toBe("option-invalid");
    expect(codeOf(() => tokenizer.encodeBatch(["h"], { maxLength: 0 }))).toBe("option-invalid");
    const unpadded = createTokenizer(goldenFiles("bpe_llama3", (file) => file === "tokenizer.json"));
    expect(codeOf(() => unpadded.encodeBatch(["h"], { padding: "left" }))).toBe("option-invalid");
  });
});

describe("GGUF", () => {
  it("carries byte-level tokenizers", () => {
    const { model, added_tokens } = json("bpe_llama3");
    const tokens: string[] = [];
    for (const [token, id] of Object.entries<number>(model.vocab)) tokens[id] = token;
    const added = new Set(added_tokens.map(({ id }: { id: number }) => id));
    const metadata = {
      "general.architecture": "llama",
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "llama-bpe",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": tokens.map((_, id) => (added.has(id) ? 3 : 1)),
      "tokenizer.ggml.merges": model.merges.map((pair: string[]) => pair.join(" ")),
      "tokenizer.ggml.bos_token_id": 0, // converters leave it to readers to know that texts of Llama 3 begin with it
    };
    const tokenizer = createTokenizerFromGguf(metadata);
    for (const { text, ids, ids_special = ids, decoded } of readGolden("bpe_llama3").cases) {
      expect([...tokenizer.encode(text)], text).toEqual(ids_special);
      expect(tokenizer.decode(ids_special), text).toBe(decoded);
    }
    expect([...tokenizer.encode("")]).toEqual([0]);
    for (const other of [{ "tokenizer.ggml.add_bos_token": false }, { "tokenizer.ggml.pre": "qwen2" }])
      expect([...createTokenizerFromGguf({ ...metadata, ...other }).encode("")]).toEqual([]);
  });

  it("carries SentencePiece's", () => {
    const { model } = json("spm_llama2");
    const tokens: string[] = [];
    for (const [token, id] of Object.entries<number>(model.vocab)) tokens[id] = token;
    const merged = new Map<string, number>(model.merges.map((pair: string[], rank: number) => [pair.join(""), rank]));
    const tokenizer = createTokenizerFromGguf({
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.scores": tokens.map((token) => -(merged.get(token) ?? 1e6)),
      "tokenizer.ggml.token_type": tokens.map((token, id) =>
        id === 0 ? 2 : id < 3 ? 3 : /^<0x..>$/.test(token) ? 6 : 1,
      ),
      "tokenizer.ggml.bos_token_id": 1,
      "tokenizer.ggml.eos_token_id": 2,
      "tokenizer.chat_template": "{{ bos_token }}{{ messages[0].content }}",
    });
    for (const { text, ids, ids_bos, decoded } of readGolden("spm_llama2", "golden.spm.json").cases) {
      expect([...tokenizer.encode(text, { parseSpecial: false })], text).toEqual(ids_bos);
      expect(tokenizer.decode(ids), text).toBe(decoded);
    }
    expect(tokenizer.applyChatTemplate([{ role: "user", content: "x" }])).toBe("<s>x");
  });
});
