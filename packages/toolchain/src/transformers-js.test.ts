import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  AutoTokenizer,
  GenerationConfig,
  type PreTrainedTokenizer,
  TextStreamer,
  env as transformers,
} from "@huggingface/transformers";
import { demoModelFolder } from "@llm/demo-model";
import { Generator, readOptions } from "@llm/generate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRunnable, type Runnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

interface Golden {
  readonly prompts: readonly { text: string; greedy: number[]; greedy_text: string }[];
}

const { env } = scratch();
const { prompts } = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;
const [first] = prompts as [Golden["prompts"][0]];

let runnable: Runnable;
let tokenizer: PreTrainedTokenizer;
beforeAll(async () => {
  transformers.allowRemoteModels = false;
  transformers.localModelPath = dirname(demoModelFolder);
  tokenizer = await AutoTokenizer.from_pretrained(demoModelFolder.slice(dirname(demoModelFolder).length + 1));
  runnable = await openRunnable("demo", { env, batchSize: 2 });
});
afterAll(() => runnable?.close());

describe("moving over from @huggingface/transformers", () => {
  it("works with its tokenizer, streamer and names of options as they are", async () => {
    const generator = new Generator({ session: runnable.session, tokenizer });
    const heard: string[] = [];
    const streamer = new TextStreamer(tokenizer, {
      skip_prompt: true,
      callback_function: (piece: string) => void heard.push(piece),
    });
    const asked = { max_new_tokens: 64, do_sample: false, num_beams: 1, return_full_text: false, streamer };
    const { text, tokens } = await generator.generate(first.text, asked);
    expect(tokens).toEqual(first.greedy);
    expect(text).toBe(first.greedy_text);
    expect(heard.join("")).toBe(first.greedy_text);
    expect(heard.length).toBeGreaterThan(5);
    expect(generator.tokenizer.eos_token).toBe("<|endoftext|>"); // the very tokenizer
  });

  it("streams by pieces, stops at its stop strings and prompts by its chat template", async () => {
    const generator = new Generator({ session: runnable.session, tokenizer });
    const stop = first.greedy_text.slice(20, 24);
    const pieces = await Array.fromAsync(generator.stream(first.text, { max_new_tokens: 64, stop_strings: [stop] }));
    expect(pieces.join("")).toBe(first.greedy_text.slice(0, first.greedy_text.indexOf(stop)));
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}";
    const answer = generator.chat([{ role: "user", content: first.text }], { max_new_tokens: 64 });
    expect((await answer.result).text).toBe(first.greedy_text);
  });

  it("takes its GenerationConfig, and knows every name in it", async () => {
    const generator = new Generator({ session: runnable.session, tokenizer });
    const defaults = { ...configOf({}) };
    const names = Object.keys(defaults);
    expect(names.length).toBeGreaterThan(40);
    for (const asked of [{ ...defaults, max_new_tokens: 64 }, { generation_config: configOf({ max_new_tokens: 64 }) }])
      expect((await generator.generate(first.text, asked)).tokens).toEqual(first.greedy);
    for (const name of names)
      for (const value of [true, 7, [7], "seven"])
        try {
          readOptions({ [name]: value });
        } catch (error) {
          expect((error as Error).message, name).not.toContain("there is no option");
        }
  });
});

/** Its types ask for every field of a config, its code for none. */
function configOf(fields: Partial<GenerationConfig>): GenerationConfig {
  return new GenerationConfig(fields as GenerationConfig);
}
