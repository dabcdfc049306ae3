import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { afterAll, describe, expect, it } from "vitest";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);

const text = join(home, "text.py");
writeFileSync(text, "def area(width, height):\n    return width * height\n".repeat(3));

describe("llm eval", () => {
  it("prints figures for each format, as JSON, a table and a page", async () => {
    const page = join(home, "pages", "eval.html");
    const args = ["eval", "--text", text, "--format", "fp32,mxfp6", "--html", page];
    const json = jsonOf(await runCli([...args, "--json"], home));
    const variants = json.variants as { name: string; perplexity: number; kl: number; blocks: unknown[] }[];
    expect(variants.map(({ name }) => name)).toEqual(["fp32", "mxfp6"]);
    expect(json).toMatchObject({ perplexity: variants[0]!.perplexity, kl: 0, top1Agreement: 1, target: "cpu" });
    expect(variants[1]!.kl).toBeGreaterThan(0);
    expect(variants[1]!.blocks).toHaveLength(7);
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/);
    const { code, stdout } = await runCli([...args, "--no-blocks"], home);
    expect(code).toBe(0);
    expect(stdout).toMatch(/perplexity +kl +top 1 +size +bits\nfp32 +[\d.]+ +0\.00000 +100\.0 %/);
  });

  it("emulates on the plain interpreter what it emulates on the CPU", async () => {
    const args = ["eval", "--text", text, "--max-tokens", "12", "--no-blocks", "--json"];
    const formats = ["--format", "mxfp4", "--kv-format", "mxint8", "--activations", "fp16"];
    const run = async (...more: string[]) => jsonOf(await runCli([...args, ...more], home)) as { perplexity: number };
    const [cpu, reference] = [await run(...formats), await run(...formats, "--target", "reference")];
    const plain = await run();
    expect(Math.abs(cpu.perplexity / reference.perplexity - 1)).toBeLessThan(0.02);
    expect(Math.abs(plain.perplexity / reference.perplexity - 1)).toBeGreaterThan(0.02);
  });

  it.each([
    [[], "llm eval needs --text FILE or --tasks FILE.jsonl"],
    [["--text", "none.txt"], "--text none.txt: there is no such file"],
    [["--text", "."], "--text .: it is a folder, not a file"],
    [["--tasks", "none.jsonl"], "--tasks none.jsonl: there is no such file"],
    [["--text", text, "--lora", "nodir"], "--lora nodir: there is no such folder"],
    [["--text", text, "--format", "int5"], "--format is one of "],
    [["--text", text, "--format", "fp32,"], "--format is one or several formats"],
    [["--text", text, "--window", "4000"], "this model takes 2 to 1024"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, stderr } = await runCli(["eval", ...args], home);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

it("llm verify draws its errors", async () => {
  const page = join(home, "verify.html");
  const { code } = await runCli(["verify", "--layers", "0", "--html", page], home);
  expect(code).toBe(0);
  expect(readFileSync(page, "utf8")).toContain("Error per block");
});

it("a prompt that is too long names the flag that cuts it", async () => {
  const { code, stderr } = await runCli(["run", "--prompt", "x = 1 ".repeat(1200)], home);
  expect(stderr).toContain('by --truncate-prompt, "left" or "middle"');
  expect(code).toBe(1);
});

it("a checkpoint without a tokenizer is refused before it is exported", async () => {
  const folder = join(home, "bare");
  for (const file of ["config.json", "model.safetensors"]) cpSync(join(demoModelFolder, file), join(folder, file));
  const { code, stderr } = await runCli(["infer", folder, "--prompt", "x"], home);
  expect(stderr).toMatch(/^fetch .*\nllm: .*has no tokenizer/);
  expect(code).toBe(1);
});
