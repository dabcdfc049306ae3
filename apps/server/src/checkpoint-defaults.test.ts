import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoServer, demoServer, post } from "./testing/demo-server.ts";
import { templatedDemo } from "./testing/templated-demo.ts";

const config = { do_sample: false, eos_token_id: 0, stop_strings: ["e"], max_new_tokens: 40, suppress_tokens: [32] };
const demo = templatedDemo({ "generation_config.json": JSON.stringify(config) });
let server: DemoServer;
beforeAll(async () => {
  server = await demoServer({}, 2, {}, demo.folder);
});
afterAll(async () => {
  await server.app.close();
  demo.remove();
});

async function answered(more: object = {}): Promise<string> {
  const body = { model: "demo", messages: [{ role: "user", content: "import os" }], ...more };
  const response = await post(server.address, "/v1/chat/completions", JSON.stringify(body));
  return ((await response.json()) as { choices: { message: { content: string } }[] }).choices[0].message.content;
}

it("ends where the checkpoint says, unless the request says otherwise", async () => {
  const whole = await answered({ stop: ["\u0000"] });
  expect(whole.slice(0, -1)).toContain("e");
  expect(await answered()).toBe(whole.slice(0, whole.indexOf("e")));
});
