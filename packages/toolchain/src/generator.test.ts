import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { goldenDir } from "@llm/fixtures";
import { afterAll, describe, expect, it } from "vitest";
import { generateText } from "./generate-text.ts";
import { Generator } from "./generator.ts";
import { scratch } from "./testing/scratch.ts";

interface Golden {
  readonly prompts: readonly { text: string; greedy: number[]; greedy_text: string }[];
}

const { env, folder } = scratch();
const { prompts } = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;
const [first] = prompts;
const generator = await Generator.fromPretrained("demo", { env, batchSize: prompts.length });
afterAll(() => generator.close());

describe("Generator.fromPretrained", () => {
  it("streams the golden's text", async () => {
    let text = "";
    for await (const piece of generator.stream(first!.text, { greedy: true, maxNewTokens: 64 })) text += piece;
    expect(text).toBe(first!.greedy_text);
  });

  it("opens what is finished whatever lasting settings are for, and takes those that it has", async () => {
    const settings = { defaultTarget: "bm1684x", targetSettings: { mode: "int4", batchSize: 3 } };
    const finished = await Generator.fromPretrained(generator.runnable.artefact, { env, ...settings });
    expect(finished.runnable.target.id).toBe("cpu");
    expect(finished.runnable.session.limits.slots).toBe(3);
    await finished.close();
    const named = Generator.fromPretrained(generator.runnable.artefact, { env, target: "bm1684x" });
    await expect(named).rejects.toThrow("was made for target cpu, not for bm1684x");
  });

  it("refuses a draft model that is nowhere before the model is looked for", async () => {
    const opening = Generator.fromPretrained("./nowhere", { env, draftModel: "./neither" });
    await expect(opening).rejects.toThrow("./neither: does not exist");
  });

  it("keeps its draft model when it is shared otherwise", async () => {
    const one = await Generator.fromPretrained("demo", { env, draftModel: "demo" });
    const other = await one.shard("1x1");
    const { text, usage } = await other.generate(first!.text, { greedy: true, maxNewTokens: 64 });
    expect(text).toBe(first!.greedy_text);
    expect(usage.draftTokens).toBeDefined();
    expect(() => one.stream("x")).toThrow("the generator is closed");
    await other.close();
  });

  it("knows its tokenizer and how it came to be", () => {
    expect(generator.tokenizer.vocabSize).toBe(4096);
    expect(generator.runnable.stages.map(({ name }) => name)).toEqual(["fetch", "export", "compile"]);
  });

  it("samples as the checkpoint's generation_config says, unless told otherwise", async () => {
    const sampled = await generator.generate(first!.text, { maxNewTokens: 64, seed: 3 });
    expect(sampled.tokens).not.toEqual(first!.greedy);
    expect((await generator.generate(first!.text, { maxNewTokens: 64, seed: 3 })).tokens).toEqual(sampled.tokens);
  });

  it("keeps a prefix in a file, which prompts of a later program begin with", async () => {
    const file = join(folder, "prefixes", "system");
    const system = "# Written by a careful programmer.\n".repeat(6);
    const { bytes } = await generator.savePrefixTo(file, system);
    expect(statSync(file).size).toBe(bytes);
    const later = await Generator.fromPretrained("demo", { env });
    const length = generator.tokenizer.encode(system).length;
    expect(await later.restorePrefixFrom(file)).toBe(length);
    const prompt = `${system}${first!.text}`;
    const { usage, text } = await later.generate(prompt, { greedy: true, maxNewTokens: 16 });
    expect(usage.cachedTokens).toBeGreaterThan(length - 3); // tokens at the seam may be others
    expect(text).toBe((await generator.generate(prompt, { greedy: true, maxNewTokens: 16 })).text);

    writeFileSync(file, readFileSync(file).subarray(0, bytes - 5));
    await expect(later.restorePrefixFrom(file)).rejects.toThrow("this saved slot is damaged");
    await expect(later.restorePrefixFrom(join(folder, "none"))).rejects.toThrow("there is no such file");
    await expect(later.savePrefixTo(join(file, "below"), system)).rejects.toMatchObject({ code: "write-failed" });
    await later.close();
  });

  it.each([
    [{ format: "int4" }, "format is an option of target cpu: say targetOptions: { format }"],
    [{ ctxLen: 64 }, "ctxLen is an option of target cpu: say targetOptions: { ctxLen }"],
    [{ bachSize: 3 }, "there is no option bachSize; there are: adapters, batchSize, "],
    [{ options: { seed: 1 } }, "there is no option options; "],
    [{ adapters: ["./sql"] }, "adapters are folders by name: adapters: { sql: FOLDER }"],
    [{ adapters: { sql: 3 } }, "adapters are folders by name: adapters: { sql: FOLDER }"],
  ])("refuses what it would pass over: %j", async (options, message) => {
    await expect(Generator.fromPretrained("demo", { env, ...(options as object) })).rejects.toThrow(message);
  });

  it("says what is missing, and leaves nothing open", async () => {
    await expect(Generator.fromPretrained(goldenDir("gpt2"), { env })).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("generating for a batch", () => {
  it("continues each prompt as if it were alone", async () => {
    const heard = prompts.map(() => "");
    const { completions, timings } = await generateText(
      generator,
      prompts.map(({ text }) => text),
      { greedy: true, maxNewTokens: 64, onText: (text, at) => (heard[at] += text) },
    );
    expect(completions.map(({ tokens }) => tokens)).toEqual(prompts.map(({ greedy }) => greedy));
    expect(heard).toEqual(completions.map(({ text }) => text));
    for (const figure of Object.values(timings)) expect(figure).toBeGreaterThan(0);
  });

  it("draws for each prompt by itself", async () => {
    const twice = [first!.text, first!.text];
    const { completions } = await generateText(generator, twice, {
      temperature: 1.5,
      topP: 1,
      topK: 0,
      maxNewTokens: 16,
    });
    expect(completions[0]!.tokens).not.toEqual(completions[1]!.tokens);
  });
});
