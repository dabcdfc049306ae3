import { join } from "node:path";
import { goldenDir } from "@llm/fixtures";
import { afterAll, describe, expect, it } from "vitest";
import { Damaged } from "./testing/damaged-checkpoint.ts";
import { runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

/** What is broken, how, and what the one line must name. */
const CASES: readonly [name: string, damage: (checkpoint: Damaged) => void, says: RegExp][] = [
  ["truncated weights", (c) => c.cut(4000), /model\.safetensors.*(ends|short|truncated|bytes)/],
  ["weights of four bytes", (c) => c.cut(4), /model\.safetensors/],
  ["a header longer than the file", (c) => c.headerLength(1n << 40n), /model\.safetensors.*header/],
  [
    "overlapping tensors",
    (c) =>
      c.header((h) => {
        const [, first, second] = Object.keys(h);
        h[second!]!.data_offsets = h[first!]!.data_offsets;
        h[second!]!.shape = h[first!]!.shape;
      }),
    /model\.safetensors.*overlap/,
  ],
  [
    "a dtype that doesn't fit its bytes",
    (c) =>
      c.header((h) => {
        h["transformer.wpe.weight"]!.dtype = "F64";
      }),
    /model\.safetensors.*transformer\.wpe\.weight/,
  ],
  [
    "integers for weights",
    (c) =>
      c.header((h) => {
        h["transformer.wpe.weight"]!.dtype = "I32";
      }),
    /transformer\.wpe\.weight is stored as i32/,
  ],
  [
    "a wrong shape",
    (c) =>
      c.header((h) => {
        h["transformer.wpe.weight"]!.shape.reverse();
      }),
    /transformer\.wpe\.weight is \[\d+, \d+\], not \[\d+, \d+\]/,
  ],
  [
    "a missing tensor",
    (c) =>
      c.header((h) => {
        h["transformer.h.0.ln_2.other"] = h["transformer.h.0.ln_2.bias"]!;
        delete h["transformer.h.0.ln_2.bias"];
      }),
    /lacks a tensor: transformer\.h\.0\.ln_2\.bias/,
  ],
  [
    "a tensor that nothing uses",
    (c) =>
      c.config((config) => {
        config.n_layer = 1;
      }),
    /no place for \d+ tensors.*transformer\.h\.1/,
  ],
  [
    "a config without a field",
    (c) =>
      c.config((config) => {
        delete config.n_embd;
      }),
    /a-config-without-a-field: config\.json.*n_embd/,
  ],
  [
    "an unknown model_type",
    (c) =>
      c.config((config) => {
        config.model_type = "perceiver";
        delete config.architectures;
      }),
    /an-unknown-model_type: config\.json: model_type "perceiver" is not known/,
  ],
];

describe.each(CASES)("%s", (name, damage, says) => {
  const checkpoint = new Damaged(goldenDir("gpt_bigcode_mqa"), join(home, name.replaceAll(/\W+/g, "-")));
  damage(checkpoint);

  it.each([
    ["logits", ["--ids", "1,2", "--json"]],
    ["inspect", []],
  ])("llm %s says so in one line and exits with 1", async (command, args) => {
    const { code, stdout, stderr } = await runCli([command, checkpoint.folder, ...args], home);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^llm: [^\n]+\n$/);
    expect(stderr).not.toContain("internal error");
    expect(code).toBe(1);
    if (command !== "inspect") expect(stdout).toBe("");
  });
});
