import { generateText } from "@llm/toolchain";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";
import { templatedDemo } from "./testing/templated-demo.ts";

// The demo, as if it didn't draw by itself.
const demo = templatedDemo({ "generation_config.json": "{}" });
let server: DemoServer;
beforeAll(async () => {
  server = await demoServer({}, 4, {}, demo.folder);
});
afterAll(async () => {
  await server.app.close();
  demo.remove();
});

const prompt = "def fibonacci(n):";

async function texts(body: object): Promise<string[]> {
  const all = { model: "demo", prompt, max_tokens: 12, ignore_eos: true, ...body };
  const response = await post(server.address, "/v1/completions", JSON.stringify(all));
  const { choices } = (await response.json()) as { choices: { text: string }[] };
  return choices.map(({ text }) => text);
}

async function texted(prompts: string[], options: object): Promise<string[]> {
  const all = { maxNewTokens: 12, ignoreEos: true, ...options };
  return (await generateText(server.generator, prompts, all)).completions.map(({ text }) => text);
}

it("is the same seed here and on the command line", async () => {
  const drawn = { temperature: 1.5, seed: 7 };
  expect(await texts(drawn)).toEqual(await texted([prompt], drawn));
  expect(await texts({ ...drawn, n: 3 })).toEqual(await texted([prompt], { ...drawn, n: 3 }));
  const prompts = [prompt, prompt, "import os"];
  const several = await texts({ ...drawn, prompt: prompts });
  expect(several).toEqual(await texted(prompts, drawn));
  expect(new Set(several).size).toBe(3);
});

it("draws by whatever asks for it, and only by that", async () => {
  const [likeliest] = await texts({});
  expect(await texts({ top_p: 1, top_k: 0, min_p: 0, typical_p: 1, frequency_penalty: 0, logit_bias: {} })).toEqual([
    likeliest,
  ]);
  for (const asked of [{ top_p: 0.99 }, { top_k: 200 }, { min_p: 0.001 }])
    expect(
      new Set(await Promise.all([1, 2, 3].map(async (seed) => String(await texts({ ...asked, seed }))))).size,
    ).toBe(3);
  expect(new Set(await texts({ n: 3, seed: 1 })).size).toBe(3);
  expect(await texts({ n: 2, temperature: 0 })).toEqual([likeliest, likeliest]);
});
