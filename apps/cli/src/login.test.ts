import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { jsonOf, runCli, testHome } from "./testing/run-cli.ts";

const { home, remove } = testHome();
afterAll(remove);
const env = { HF_HOME: join(home, "hf"), HF_TOKEN: "", HF_TOKEN_PATH: "" };

it("keeps a token where the hub's tools look, never prints it, and forgets it", async () => {
  const file = join(home, "hf", "token");
  const login = await runCli(["login"], home, { env, input: "hf_secret\n" });
  expect(login).toEqual({ code: 0, stdout: `kept in ${file}\n`, stderr: "" });
  expect(readFileSync(file, "utf8")).toBe("hf_secret");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(jsonOf(await runCli(["logout", "--json"], home, { env }))).toEqual({ file });
  expect(jsonOf(await runCli(["logout", "--json"], home, { env }))).toEqual({ file: null });
});

it("says in one line what is no token", async () => {
  const none = await runCli(["login"], home, { env });
  expect(none.code).toBe(2);
  expect(none.stderr).toBe("llm: no token was given; type it, or pipe it in: llm login < token.txt\n");
  const wrong = await runCli(["login"], home, { env, input: "my secret" });
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toBe("llm: that is no token: one word of plain characters is expected\n");
});
