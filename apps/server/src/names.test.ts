import type { AddressInfo } from "node:net";
import { Generator } from "@llm/toolchain";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "./server.ts";
import { adapterFolder } from "./testing/adapter-folder.ts";

const adapter = await adapterFolder(5);
const generator = await Generator.fromPretrained("demo", {
  batchSize: 4,
  adapters: { other: adapter.folder },
  draftModel: "demo",
});
const app = createServer({
  models: [
    {
      id: "demo",
      options: { speculate: true },
      variants: [{ id: "sql", options: { adapter: "other" } }],
      open: async () => generator,
    },
  ],
});
let client: OpenAI;
beforeAll(async () => {
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await app.close();
  adapter.remove();
});

const prompt = "def fibonacci(n):";
const textOf = async (model: string): Promise<string> =>
  (await client.completions.create({ model, prompt, max_tokens: 32, temperature: 0 })).choices[0].text;

describe("a model under several names", () => {
  it("is listed under all of them, with whose adapter each is", async () => {
    const { data } = await client.models.list();
    expect(data).toMatchObject([{ id: "demo" }, { id: "sql", parent: "demo" }]);
    expect(data[0]).not.toHaveProperty("parent");
    expect(await client.models.retrieve("sql")).toMatchObject({ loaded: true });
    expect(await (await fetch(`${client.baseURL}/models/`)).json()).toMatchObject({ object: "list", data });
  });

  it("answers each with its own adapter, also at once and after one another", async () => {
    const options = { maxNewTokens: 32, greedy: true };
    const expected = await Promise.all([
      generator.generate(prompt, options),
      generator.generate(prompt, { ...options, adapter: "other" }),
    ]);
    const [demo, sql] = expected.map(({ text }) => text);
    expect(sql).not.toBe(demo);
    expect(await Promise.all(["demo", "sql", "demo", "sql"].map(textOf))).toEqual([demo, sql, demo, sql]);
    const { model } = await client.completions.create({ model: "sql", prompt, max_tokens: 1 });
    expect(model).toBe("sql");
    const vectors = await Promise.all(
      ["demo", "sql"].map((name) => client.embeddings.create({ model: name, input: prompt })),
    );
    expect(vectors[0].data[0].embedding).not.toEqual(vectors[1].data[0].embedding);
  });

  it("guesses with its draft model where it is to speculate", async () => {
    const before = generator.scheduler.stats;
    await textOf("demo");
    const { draftTokens, acceptedTokens } = generator.scheduler.stats;
    expect(draftTokens).toBeGreaterThan(before.draftTokens);
    expect(acceptedTokens).toBeGreaterThan(before.acceptedTokens);
  });
});
