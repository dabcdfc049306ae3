import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { demoModelFolder } from "./index.ts";

const manifest = JSON.parse(readFileSync(join(demoModelFolder, "package.json"), "utf8")) as { files: string[] };
const json = (name: string) => JSON.parse(readFileSync(join(demoModelFolder, name), "utf8"));

describe("the bundled checkpoint", () => {
  it("publishes every file that a checkpoint needs", () => {
    for (const name of [
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ])
      expect(manifest.files).toContain(name);
  });

  it("has exactly the tensors that its header promises, to the last byte", () => {
    const path = join(demoModelFolder, "model.safetensors");
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8")) as Record<
      string,
      { data_offsets?: number[] }
    >;
    const ends = Object.values(header).flatMap(({ data_offsets }) => data_offsets?.[1] ?? []);
    expect(8 + length + Math.max(...ends)).toBe(statSync(path).size);
  });

  it("stays small enough to ship", () => {
    const bytes = manifest.files
      .filter((name) => !/dist/.test(name))
      .reduce((sum, name) => sum + statSync(join(demoModelFolder, name)).size, 0);
    expect(bytes).toBeLessThan(13e6);
  });

  it("has a vocabulary of the size that its config says, in both of its spellings", () => {
    const { vocab_size } = json("config.json");
    expect(Object.keys(json("vocab.json"))).toHaveLength(vocab_size);
    expect(Object.keys(json("tokenizer.json").model.vocab)).toHaveLength(vocab_size);
  });
});
